"""Every EXIF orientation shows the same upright pixels, broken EXIF fails nothing, and no metadata comes out."""

from __future__ import annotations

import io
from collections.abc import Callable

import handmade
import numpy as np
import pytest
from PIL import Image

from i2i.images import codec

UPRIGHT = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14

# How a camera stores the upright picture for each orientation (EXIF 2.3, tag 0x0112): where row 0 and column 0 lie.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags.get_ifd(0x8825)[1] = "N"
    tags.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    return tags


def saved(pixels: np.ndarray, name: str, orientation: int) -> bytes:
    file = io.BytesIO()
    options = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}, "TIFF": {}}[name]
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, name, exif=exif(orientation), **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["PNG", "WEBP", "TIFF"])
def test_every_orientation_gives_the_same_upright_pixels(name: str, orientation: int) -> None:
    picture = codec.read(saved(STORED[orientation](UPRIGHT), name, orientation))
    assert np.array_equal(picture.pixels, UPRIGHT)


@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_of_a_jpeg_gives_the_same_upright_pixels(orientation: int) -> None:
    # Blocks of 8 x 8 in one colour survive JPEG at quality 100 but for rounding.
    blocks = UPRIGHT.repeat(8, axis=0).repeat(8, axis=1)
    picture = codec.read(saved(STORED[orientation](blocks), "JPEG", orientation))
    assert np.abs(picture.pixels.astype(int) - blocks).max() <= 3


@pytest.mark.parametrize("orientation", STORED)
def test_alpha_and_sixteen_bits_turn_with_the_picture(orientation: int) -> None:
    deep = np.dstack([UPRIGHT, UPRIGHT[..., 0] + 7]).astype(np.uint16) * 257
    block = b"Exif\0\0" + exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    chunks = handmade.chunk(b"eXIf", block.removeprefix(b"Exif\0\0"))
    picture = codec.read(handmade.png_16(STORED[orientation](deep), chunks=chunks), colour="labels")
    assert np.array_equal(picture.pixels, UPRIGHT)
    assert np.array_equal(picture.alpha, UPRIGHT[..., 0] + 7)


@pytest.mark.parametrize("orientation", STORED)
def test_an_open_pillow_image_is_turned_upright_too(orientation: int) -> None:
    with Image.open(io.BytesIO(saved(STORED[orientation](UPRIGHT), "PNG", orientation))) as image:
        assert np.array_equal(codec.from_pil(image).pixels, UPRIGHT)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\x40\x9c\x12\x01",
        b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",
    ],
    ids=["garbage", "offset", "count", "orientation-99"],
)
def test_broken_metadata_never_fails_good_pixels(block: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(UPRIGHT).save(file, "JPEG", quality=100, subsampling=0, exif=block)
    with_block = codec.read(file.getvalue())
    assert with_block.pixels.shape == UPRIGHT.shape
    chunked = handmade.png([b"\x10\x80"] * 2, width=2, depth=8, colour=0, chunks=handmade.chunk(b"eXIf", block[6:]))
    assert codec.read(chunked).pixels[0, :, 0].tolist() == [0x10, 0x80]


@pytest.mark.parametrize("name", codec.FORMATS)
def test_the_output_carries_neither_orientation_nor_position(name: str) -> None:
    picture = codec.read(saved(UPRIGHT, "PNG", 6))
    data = codec.encode(picture.pixels, format=name)
    tags = Image.open(io.BytesIO(data)).getexif()
    assert 0x8825 not in tags
    assert tags.get(0x0112, 1) == 1
    assert b"Exif" not in data
    assert b"GPS" not in data
