"""A file cut at any length is refused; a proper end, padding behind it and odd but whole structures are not."""

from __future__ import annotations

import io
import struct
import zlib

import handmade
import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def picture() -> Image.Image:
    return Image.effect_mandelbrot((16, 12), (-2, -1, 1, 1), 40).convert("RGB")


def with_thumbnail() -> bytes:
    """A JPEG whose metadata holds another, complete JPEG: its end is not the file's end."""
    inner = saved(picture().resize((8, 8)), "JPEG")
    return saved(picture(), "JPEG", exif=b"Exif\0\0" + inner)


WHOLE = {
    "png": handmade.png([b"\x10\x80\xff"] * 2, width=3, depth=8, colour=0),
    "png-rgb": saved(picture(), "PNG"),
    "jpeg": saved(picture(), "JPEG"),
    "jpeg-progressive": saved(picture(), "JPEG", progressive=True),
    "jpeg-restarts": saved(picture(), "JPEG", restart_marker_blocks=1),
    "jpeg-thumbnail": with_thumbnail(),
    "gif": saved(picture(), "GIF"),
    "webp": saved(picture(), "WEBP", lossless=True),
    "bmp": saved(picture(), "BMP"),
    "ppm": saved(picture(), "PPM"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_cut_at_any_length_is_truncated(name: str) -> None:
    data = WHOLE[name]
    assert codec.read(data).pixels.size
    codes = {}
    for length in range(1, len(data)):
        with pytest.raises(I2IError) as caught:
            codec.read(data[:length])
        codes[length] = caught.value.code
    odd = {length for length, code in codes.items() if code != "E_TRUNCATED"}
    # One or two letters could be the beginning of any text.
    assert odd <= ({1, 2} if name in {"bmp", "ppm"} else set())


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_tiff_cut_at_any_length_is_refused_or_still_whole(compression: str | None) -> None:
    # What lies at the end of a TIFF is up to the writer: behind the last strip and directory nothing is missed.
    data = saved(picture(), "TIFF", compression=compression)
    whole = codec.read(data).pixels
    refused = 0
    for length in range(1, len(data)):
        try:
            assert np.array_equal(codec.read(data[:length]).pixels, whole)
        except I2IError as error:
            assert error.code == "E_TRUNCATED"
            refused += 1
    assert refused >= len(data) * 0.9


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_big_tiff_cut_at_any_length_is_truncated() -> None:
    data = saved(picture(), "TIFF", big_tiff=True)
    assert data.startswith(b"II+\0")
    assert codec.read(data).pixels.size
    for length in range(1, len(data)):
        with pytest.raises(I2IError) as caught:
            codec.read(data[:length])
        assert caught.value.code == "E_TRUNCATED"


def test_a_tiff_whose_strip_lies_behind_its_directory_is_truncated_by_a_cut_in_the_strip() -> None:
    packed = zlib.compress(bytes(range(200)) * 2)
    start = 8 + 2 + 12 * 9 + 4
    entries = {256: (4, 20), 257: (4, 20), 258: (3, 8), 259: (3, 8), 262: (3, 1), 273: (4, start), 277: (3, 1)}
    entries |= {278: (4, 20), 279: (4, len(packed))}
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in entries.items())
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", 0) + packed
    assert codec.read(data, colour="gray").pixels[0, :, 0].tolist() == list(range(20))
    for length in range(start, len(data)):
        with pytest.raises(I2IError) as caught:
            codec.read(data[:length])
        assert caught.value.code == "E_TRUNCATED"


def test_a_whole_tiff_with_broken_data_is_corrupt_and_not_truncated() -> None:
    data = bytearray(saved(picture(), "TIFF", compression="tiff_adobe_deflate"))
    (offset,) = Image.open(io.BytesIO(data)).tag_v2[273]
    data[offset : offset + 40] = b"\xff" * 40
    with pytest.raises(I2IError) as caught:
        codec.read(bytes(data))
    assert caught.value.code == "E_CORRUPT"


def test_an_avif_cut_at_any_length_is_refused() -> None:
    data = saved(picture(), "AVIF")
    for length in range(1, len(data), 7):
        with pytest.raises(I2IError) as caught:
            codec.read(data[:length])
        assert caught.value.code in {"E_TRUNCATED", "E_CORRUPT", "E_UNIDENTIFIED", "E_FORMAT_BLOCKED"}


@pytest.mark.parametrize("name", ["png", "jpeg", "jpeg-progressive", "gif", "webp"])
def test_bytes_behind_the_proper_end_do_no_harm(name: str) -> None:
    padded = codec.read(WHOLE[name] + bytes(100))
    assert np.array_equal(padded.pixels, codec.read(WHOLE[name]).pixels)


def test_a_jpeg_without_its_end_marker_is_truncated_although_all_pixels_are_there() -> None:
    data = WHOLE["jpeg"]
    assert data.endswith(b"\xff\xd9")
    with pytest.raises(I2IError, match="ends too early"):
        codec.read(data[:-2])


def test_a_png_chunk_with_a_wrong_checksum_is_corrupt() -> None:
    data = bytearray(WHOLE["png"])
    data[data.index(b"IDAT") + 5] ^= 1
    with pytest.raises(I2IError) as caught:
        codec.read(bytes(data))
    assert caught.value.code == "E_CORRUPT"
    assert "IDAT" in caught.value.message


def test_a_png_whose_compressed_data_stop_before_its_proper_end_is_truncated() -> None:
    data = saved(Image.effect_noise((64, 64), 90), "PNG")
    start = data.index(b"IDAT") + 4
    cut = data[:33] + handmade.chunk(b"IDAT", data[start : start + 900]) + handmade.chunk(b"IEND", b"")
    with pytest.raises(I2IError) as caught:
        codec.read(cut)
    assert caught.value.code == "E_TRUNCATED"
