"""Every kind of sample becomes 8 bits by the stated rule: depth, palette, transparency, alpha, CMYK and floats."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import handmade
import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec

RNG = np.random.default_rng(3)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def opencv_file(array: np.ndarray, suffix: str, options: list[int] | None = None) -> bytes:
    """OpenCV's encoding of an array whose channels are red first."""
    import cv2

    return bytes(cv2.imencode(suffix, array[..., ::-1] if array.ndim == 3 else array, options or [])[1])


def scaled(values: np.ndarray) -> np.ndarray:
    return np.rint(values / 257).astype(np.uint8)


def hdr(*, size: tuple[int, ...]) -> np.ndarray:
    values = RNG.integers(0, 65536, size, dtype=np.uint16)
    values.flat[:6] = [0, 1, 128, 129, 65406, 65535]  # 128 / 257 rounds down, 129 / 257 up
    return values


def test_sixteen_bit_colour_is_scaled_exactly_and_not_cut() -> None:
    rgb = hdr(size=(9, 7, 3))
    assert np.array_equal(codec.read(handmade.png_16(rgb)).pixels, scaled(rgb))
    assert np.array_equal(codec.read(opencv_file(rgb, ".png")).pixels, scaled(rgb))


@pytest.mark.parametrize("compression", [1, 5, 8, 32773], ids=["none", "lzw", "deflate", "packbits"])
def test_sixteen_bit_colour_in_tiff_is_scaled_exactly(compression: int) -> None:
    rgb = hdr(size=(9, 7, 3))
    data = opencv_file(rgb, ".tif", [259, compression])
    assert np.array_equal(codec.read(data).pixels, scaled(rgb))


def test_sixteen_bit_colour_with_alpha_keeps_both_halves() -> None:
    rgba = hdr(size=(9, 7, 4))
    picture = codec.read(handmade.png_16(rgba), colour="rgba")
    assert np.array_equal(picture.pixels, scaled(rgba))
    grey_alpha = hdr(size=(9, 7, 2))
    picture = codec.read(handmade.png_16(grey_alpha), colour="rgba")
    assert np.array_equal(picture.pixels, scaled(grey_alpha[..., [0, 0, 0, 1]]))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_sixteen_bit_grey_is_scaled_not_clipped(suffix: str) -> None:
    grey = hdr(size=(9, 7))
    picture = codec.read(opencv_file(grey, suffix), colour="gray")
    assert np.array_equal(picture.pixels[..., 0], scaled(grey))


def test_sixteen_bit_ppm_is_scaled() -> None:
    rgb = hdr(size=(9, 7, 3))
    assert np.abs(codec.read(opencv_file(rgb, ".ppm")).pixels.astype(int) - scaled(rgb)).max() <= 1


def test_a_sixteen_bit_transparent_colour_is_compared_in_full_depth() -> None:
    # Two colours that are equal in their high bytes; only the first is declared transparent.
    pixels = np.array([[[0x1234, 0x5678, 0x9ABC], [0x1235, 0x5678, 0x9ABC]]])
    key = handmade.chunk(b"tRNS", struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC))
    assert codec.read(handmade.png_16(pixels, chunks=key)).alpha.tolist() == [[0, 255]]
    grey = np.array([[[0x1234], [0x1235]]])
    key = handmade.chunk(b"tRNS", struct.pack(">H", 0x1234))
    assert codec.read(handmade.png_16(grey, chunks=key)).alpha.tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("depth", "row", "values", "key", "alpha"),
    [
        (1, b"\x50", [0, 255, 0, 255], 1, [255, 0, 255, 0]),
        (2, b"\x1b", [0, 85, 170, 255], 2, [255, 255, 0, 255]),
        (4, b"\x05\xaf", [0, 85, 170, 255], 10, [255, 255, 0, 255]),
        (8, b"\x00\x55\xaa\xff", [0, 85, 170, 255], 85, [255, 0, 255, 255]),
    ],
)
def test_grey_of_few_bits_is_scaled_and_its_transparent_value_found(
    depth: int, row: bytes, values: list[int], key: int, alpha: list[int]
) -> None:
    chunk = handmade.chunk(b"tRNS", struct.pack(">H", key))
    picture = codec.read(handmade.png([row], width=4, depth=depth, colour=0, chunks=chunk), colour="labels")
    assert picture.pixels[0, :, 0].tolist() == values
    assert picture.alpha.tolist() == [alpha]


def test_one_bit_pictures_are_black_and_white_in_every_format() -> None:
    bits = RNG.random((9, 13)) > 0.5
    image = Image.fromarray(bits)
    for data in (
        *(saved(image, name) for name in ("PNG", "BMP", "PPM", "TIFF")),
        saved(image, "TIFF", compression="group4"),
        saved(image, "TIFF", tiffinfo={262: 0}, compression="packbits"),
    ):
        grey = codec.read(data, colour="gray").pixels[..., 0]
        assert set(np.unique(grey)) == {0, 255}
        assert np.array_equal(grey, bits * np.uint8(255)) or np.array_equal(grey, ~bits * np.uint8(255))
    assert np.array_equal(codec.read(saved(image, "PNG"), colour="gray").pixels[..., 0], bits * np.uint8(255))


def test_white_is_zero_tiff_is_not_inverted() -> None:
    entries = {256: (4, 1, 2), 257: (4, 1, 1), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 0)}
    entries |= {273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, 1), 279: (4, 1, 2)}
    assert codec.read(handmade.tiff(entries, b"\x00\xf0"), colour="gray").pixels[..., 0].tolist() == [[255, 15]]


PALETTE = handmade.chunk(b"PLTE", bytes([200, 0, 0, 0, 100, 0, 10, 20, 30]))


def palette_png(*, alphas: bytes = b"") -> bytes:
    chunks = PALETTE + (handmade.chunk(b"tRNS", alphas) if alphas else b"")
    return handmade.png([b"\0\1\2"], width=3, depth=8, colour=3, chunks=chunks)


def test_palette_colours_arrive_exactly() -> None:
    picture = codec.read(palette_png())
    assert picture.pixels.tolist() == [[[200, 0, 0], [0, 100, 0], [10, 20, 30]]]
    assert picture.alpha is None


def test_a_transparent_palette_is_laid_over_white_but_not_for_label_maps() -> None:
    data = palette_png(alphas=bytes([51, 0]))  # 51 / 255 = 0.2; the third entry is opaque
    picture = codec.read(data)
    assert picture.pixels.tolist() == [[[244, 204, 204], [255, 255, 255], [10, 20, 30]]]
    assert picture.alpha.tolist() == [[51, 0, 255]]
    labels = codec.read(data, colour="labels")
    assert labels.pixels.tolist() == [[[200, 0, 0], [0, 100, 0], [10, 20, 30]]]
    assert labels.alpha.tolist() == [[51, 0, 255]]


@pytest.mark.parametrize(("name", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})])
def test_alpha_follows_one_policy_in_every_format(name: str, options: dict[str, object]) -> None:
    data = saved(Image.fromarray(np.array([[[200, 100, 0, 51], [7, 8, 9, 255]]], np.uint8)), name, **options)
    over_white = codec.read(data)
    assert over_white.pixels.tolist() == [[[244, 224, 204], [7, 8, 9]]]
    assert over_white.alpha.tolist() == [[51, 255]]
    grey = codec.read(data, colour="gray")  # 0.299 * 244 + 0.587 * 224 + 0.114 * 204 = 227.7
    assert grey.pixels[0, 0].tolist() == [228]
    whole = codec.read(data, colour="rgba")
    assert whole.pixels.tolist() == [[[200, 100, 0, 51], [7, 8, 9, 255]]]
    assert whole.alpha is None


def test_grey_with_alpha_follows_the_same_policy() -> None:
    data = handmade.png([bytes([100, 51, 7, 255])], width=2, depth=8, colour=4)
    picture = codec.read(data, colour="gray")
    assert picture.pixels[..., 0].tolist() == [[224, 7]]
    assert picture.alpha.tolist() == [[51, 255]]


def test_a_gif_with_a_transparent_colour_has_alpha() -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([200, 0, 0, 0, 100, 0, 10, 20, 30])
    picture = codec.read(saved(image, "GIF", transparency=1))
    assert picture.alpha.tolist() == [[255, 0, 255]]
    assert picture.pixels.tolist() == [[[200, 0, 0], [255, 255, 255], [10, 20, 30]]]


def cmyk(*inks: int, name: str = "TIFF", **options: object) -> bytes:
    return saved(Image.new("CMYK", (16, 16), inks), name, **options)


@pytest.mark.parametrize("name", ["TIFF", "JPEG"])
def test_cmyk_without_a_profile_takes_the_plain_conversion(name: str) -> None:
    # (255 - ink) * (255 - black) / 255; JPEG may be off by its rounding.
    data = cmyk(0, 255, 128, 51, name=name, **({"quality": 100} if name == "JPEG" else {}))
    assert codec.read(data).pixels[8, 8] == pytest.approx([204, 0, 101.6], abs=1 if name == "TIFF" else 3)


def test_cmyk_with_a_profile_is_converted_by_it() -> None:
    profile = handmade.black_ink_profile()  # only black ink shows
    for name in ("TIFF", "JPEG"):
        assert codec.read(cmyk(0, 0, 0, 0, name=name, icc_profile=profile)).pixels[8, 8].tolist() == [255, 255, 255]
        picture = codec.read(cmyk(255, 255, 255, 0, name=name, icc_profile=profile))
        assert picture.pixels[8, 8].min() >= 250  # the plain conversion gives black
        assert picture.warnings == ()


def test_a_broken_profile_falls_back_to_the_plain_conversion_with_a_warning() -> None:
    picture = codec.read(cmyk(0, 255, 255, 0, icc_profile=b"no profile"))
    assert picture.pixels[8, 8].tolist() == [255, 0, 0]
    assert "profile" in picture.warnings[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.4, 255.0], [0, 100, 255]),
        ([0.0, 32896.0, 65535.0], [0, 128, 255]),
    ],
)
def test_a_float_tiff_is_read_by_the_smallest_range_that_holds_it(values: list[float], expected: list[int]) -> None:
    picture = codec.read(saved(Image.fromarray(np.array([values], np.float32)), "TIFF"), colour="gray")
    assert picture.pixels[..., 0].tolist() == [expected]
    assert len(picture.warnings) == (max(values) > 1)


@pytest.mark.parametrize("values", [[-0.5, 1.0], [0.0, np.nan], [0.0, np.inf], [0.0, 1e6]])
def test_floats_without_a_range_are_refused_with_the_remedy(values: list[float]) -> None:
    with pytest.raises(I2IError, match=r"0\.\.1") as caught:
        codec.read(saved(Image.fromarray(np.array([values], np.float32)), "TIFF"))
    assert caught.value.code == "E_UNSUPPORTED_MODE"


@pytest.mark.parametrize(("values", "expected"), [([0, 257, 65535], [0, 1, 255]), ([0, 65536], None), ([-1, 9], None)])
def test_thirty_two_bit_integers_are_read_as_sixteen_bits_or_refused(
    values: list[int], expected: list[int] | None
) -> None:
    data = saved(Image.fromarray(np.array([values], np.int32)), "TIFF")
    if expected is None:
        with pytest.raises(I2IError) as caught:
            codec.read(data)
        assert caught.value.code == "E_UNSUPPORTED_MODE"
    else:
        assert codec.read(data, colour="gray").pixels[..., 0].tolist() == [expected]


def test_a_lab_tiff_is_an_unsupported_mode() -> None:
    with pytest.raises(I2IError) as caught:
        codec.read(saved(Image.new("LAB", (4, 4)), "TIFF"))
    assert caught.value.code == "E_UNSUPPORTED_MODE"


def animated(name: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if name == "WEBP" else {}
    return saved(frames[0], name, save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize("name", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_of_several_frames_is_used_with_one_warning(name: str) -> None:
    picture = codec.read(animated(name))
    assert (picture.pixels == [255, 0, 0]).all()
    assert picture.warnings == ("has 3 frames; the first one is used",)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_later_page_does_not_fail_the_first() -> None:
    data = animated("TIFF")
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    link = first + 2 + 12 * entries
    broken = data[:link] + struct.pack("<I", len(data) - 3) + data[link + 4 :]
    picture = codec.read(broken)
    assert (picture.pixels == [255, 0, 0]).all()
    assert len(picture.warnings) == 1


def test_a_wrong_name_is_read_by_content_with_one_warning(tmp_path: Path) -> None:
    for name, warnings in (("a.jpg", 1), ("a.png", 0), ("a.PNG", 0), ("a", 0)):
        (tmp_path / name).write_bytes(palette_png())
        picture = codec.read(tmp_path / name)
        assert picture.format == "PNG"
        assert len(picture.warnings) == warnings
    assert "is named .jpg but is PNG" in codec.read(tmp_path / "a.jpg").warnings[0]


@pytest.mark.parametrize(
    "read", [codec.read, lambda path: codec.read(str(path)), lambda path: codec.read(path.open("rb"))]
)
def test_paths_names_and_open_files_read_alike(read: Callable[[Path], codec.Picture], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(palette_png())
    assert read(tmp_path / "a.png").pixels.tolist() == codec.read(palette_png()).pixels.tolist()
