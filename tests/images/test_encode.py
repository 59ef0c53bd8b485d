"""Pixels survive the way into a file and back, alpha where the format can, and other types of pictures are taken."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import handmade
import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec

RNG = np.random.default_rng(5)
LOSSLESS = ["png", "tiff", "bmp", "ppm"]


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("size", [(1, 1), (9, 7), (3, 500)])
def test_grey_and_colour_survive_lossless_formats(name: str, size: tuple[int, int]) -> None:
    for channels, colour in ((1, "gray"), (3, "rgb")):
        pixels = noise(*size, channels)
        picture = codec.read(codec.encode(pixels, format=name), colour=colour)
        assert np.array_equal(picture.pixels, pixels)
        assert picture.format == name.upper()
        assert picture.alpha is None


@pytest.mark.parametrize("name", ["png", "tiff"])
def test_alpha_survives_where_the_format_can(name: str) -> None:
    pixels, alpha = noise(9, 7, 3), noise(9, 7)
    back = codec.read(codec.encode(pixels, format=name, alpha=alpha), colour="labels")
    assert np.array_equal(back.pixels, pixels)
    assert np.array_equal(back.alpha, alpha)
    rgba = np.dstack([pixels, alpha])
    assert np.array_equal(codec.read(codec.encode(rgba, format=name), colour="rgba").pixels, rgba)
    grey = codec.read(codec.encode(pixels[..., :1], format=name, alpha=alpha), colour="labels")
    assert np.array_equal(grey.pixels, pixels[..., [0, 0, 0]])
    assert np.array_equal(grey.alpha, alpha)


def test_webp_keeps_alpha_and_nearly_the_colour() -> None:
    smooth = np.linspace(40, 200, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    alpha = np.full((64, 64), 200, np.uint8)
    back = codec.read(codec.encode(smooth, format="webp", alpha=alpha), colour="labels")
    assert np.abs(back.pixels.astype(int) - smooth).mean() < 4
    assert np.array_equal(back.alpha, alpha)


def test_where_alpha_cannot_be_stored_the_colour_is_over_white() -> None:
    rgba = np.full((16, 16, 4), (200, 100, 0, 51), np.uint8)
    for name, tolerance in (("bmp", 0), ("ppm", 0), ("jpg", 3)):
        back = codec.read(codec.encode(rgba, format=name))
        assert back.pixels[8, 8].tolist() == pytest.approx([244, 224, 204], abs=tolerance)
        assert back.alpha is None


def test_jpeg_quality_is_heeded() -> None:
    pixels = noise(64, 64, 3)
    low, high = (codec.encode(pixels, format="jpg", quality=quality) for quality in (30, 95))
    assert len(low) < len(high) / 2
    assert np.abs(codec.read(high).pixels.astype(int) - pixels).mean() < 6


def test_a_strided_array_is_encoded_as_it_is_seen() -> None:
    pixels = noise(9, 8, 3)[::-1, ::2]
    assert np.array_equal(codec.read(codec.encode(pixels, format="png")).pixels, pixels)


@pytest.mark.parametrize(("alias", "expected"), [("JPEG", "JPEG"), (".jpg", "JPEG"), ("tif", "TIFF"), ("PNG", "PNG")])
def test_formats_answer_to_their_usual_names(alias: str, expected: str) -> None:
    assert codec.read(codec.encode(noise(8, 8, 3), format=alias)).format == expected


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(I2IError, match="did you mean 'png'") as caught:
        codec.encode(noise(1, 1, 3), format="pngg")
    assert caught.value.code == "E_USAGE"


def test_a_picture_too_large_for_the_format_says_which_format_takes_it() -> None:
    with pytest.raises(I2IError, match="use png") as caught:
        codec.encode(noise(1, 16_384, 3), format="webp")
    assert caught.value.code == "E_SIZE"


def test_arrays_of_every_accepted_shape_become_pictures() -> None:
    pixels = noise(4, 5, 3)
    assert np.array_equal(codec.from_array(pixels).pixels, pixels)
    assert np.array_equal(codec.from_array(pixels[..., 0]).pixels, pixels[..., [0, 0, 0]])
    assert np.array_equal(codec.from_array(pixels[..., :1], colour="gray").pixels, pixels[..., :1])
    rgba = np.array([[[200, 100, 0, 51]]], np.uint8)
    assert codec.from_array(rgba).pixels.tolist() == [[[244, 224, 204]]]
    assert codec.from_array(rgba).alpha.tolist() == [[51]]
    assert codec.from_array(rgba[..., [0, 3]], colour="gray").pixels.tolist() == [[[244]]]
    assert codec.from_array(rgba, colour="rgba").pixels.tolist() == rgba.tolist()


def test_sixteen_bit_arrays_are_scaled() -> None:
    values = np.array([[0, 128, 129, 257, 65535]], np.uint16)
    assert codec.from_array(values, colour="gray").pixels[..., 0].tolist() == [[0, 0, 1, 1, 255]]
    assert codec.from_array(values.astype(">u2"), colour="gray").pixels[..., 0].tolist() == [[0, 0, 1, 1, 255]]


@pytest.mark.parametrize(
    "array",
    [
        *(np.zeros((2, 2), kind) for kind in (np.float32, bool, np.int64, np.int8)),
        *(np.zeros(shape, np.uint8) for shape in ((2, 2, 5), (4,), (0, 2), (1, 2, 2, 3))),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_other_arrays_are_refused_with_what_is_expected(array: np.ndarray) -> None:
    with pytest.raises(I2IError, match="expected") as caught:
        codec.from_array(array)
    assert caught.value.code == "E_UNSUPPORTED_MODE"


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "HSV"])
def test_pillow_images_of_every_common_mode_become_pictures(mode: str) -> None:
    levels = np.array([[0, 51, 102, 153, 255]], np.uint8)  # greys that the palette of mode P holds
    wide = {"I;16": levels * np.uint16(257), "I": levels * np.int32(257), "F": levels / np.float32(255)}
    image = Image.fromarray(wide[mode]) if mode in wide else Image.fromarray(levels).convert("RGB").convert(mode)
    assert image.mode == mode
    shown = codec.from_pil(image, colour="gray").pixels[..., 0]
    assert np.abs(shown.astype(int) - levels).max() <= 1


def test_a_picture_goes_to_pillow_and_back() -> None:
    for channels, mode in ((1, "LA"), (3, "RGBA")):
        pixels, alpha = noise(4, 5, channels), noise(4, 5)
        image = codec.to_pil(pixels, alpha)
        assert image.mode == mode
        assert np.array_equal(np.asarray(image)[..., -1], alpha)
        assert np.array_equal(np.asarray(image)[..., :-1], pixels)
    assert codec.to_pil(noise(4, 5, 4)).mode == "RGBA"


def test_pixels_may_be_written_to() -> None:
    picture = codec.read(codec.encode(noise(2, 2, 4), format="png"))
    picture.pixels[0, 0] = 1
    picture.alpha[0, 0] = 1


def test_reading_and_writing_take_part_without_opencv(tmp_path: Path) -> None:
    deep = noise(4, 4, 3).astype(np.uint16) * 257
    (tmp_path / "deep.png").write_bytes(handmade.png_16(deep))
    code = (
        "import sys\nsys.modules['cv2'] = None\nfrom i2i.images import codec\n"
        "codec.encode(codec.read('deep.png').pixels, format='png')\n"
        "print(codec.read('deep.png').pixels.tobytes().hex())"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert bytes.fromhex(result.stdout) == (deep // 257).astype(np.uint8).tobytes()


def test_the_written_png_is_sound_to_another_decoder() -> None:
    import cv2

    pixels = noise(33, 17, 3)
    data = codec.encode(pixels, format="png")
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1], pixels)
    assert struct.unpack_from(">IIBB", data, 16) == (17, 33, 8, 2)
    assert Image.open(io.BytesIO(data)).info == {}
