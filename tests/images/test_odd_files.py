"""What each of the 55 odd and broken files must read as, and that an independent decoder sees the same pixels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from i2i.errors import I2IError
from i2i.images import codec

ODD = Path(__file__).parent.parent / "data" / "odd"


class Good(NamedTuple):
    """A file that reads: format by content, height and width, mean red, green and blue over white, mean alpha."""

    format: str
    size: tuple[int, int]
    mean: tuple[float, float, float]
    alpha: float | None = None


def grey(value: float) -> tuple[float, float, float]:
    return (value, value, value)


# The means are those of OpenCV's decode, laid over white. OpenCV does not give the transparent value of grey PNGs;
# there the mask is by hand: the samples that equal the file's tRNS value.
EXPECTED: dict[str, Good | str] = {
    "basn0g01.png": Good("PNG", (32, 32), grey(124.5)),
    "basn0g01-30.png": Good("PNG", (30, 30), grey(141.1)),
    "basn0g02.png": Good("PNG", (32, 32), grey(127.5)),
    "basn0g02-29.png": Good("PNG", (29, 29), grey(128.0)),
    "basn0g04.png": Good("PNG", (32, 32), grey(119.0)),
    "basn0g04-31.png": Good("PNG", (31, 31), grey(115.2)),
    "basn0g08.png": Good("PNG", (32, 32), grey(127.0)),
    "basn0g16.png": Good("PNG", (32, 32), grey(143.8)),
    "basn2c08.png": Good("PNG", (32, 32), grey(191.2)),
    "basn2c16.png": Good("PNG", (32, 32), (127.5, 127.5, 43.8)),
    "basn3p01.png": Good("PNG", (32, 32), (136.0, 178.5, 144.5)),
    "basn3p02.png": Good("PNG", (32, 32), (127.5, 127.5, 63.8)),
    "basn3p04.png": Good("PNG", (32, 32), (69.6, 179.0, 137.1)),
    "basn3p04-31i.png": Good("PNG", (31, 31), (69.0, 184.7, 130.7)),
    "basn3p08.png": Good("PNG", (32, 32), (135.3, 135.3, 111.4)),
    "basn3p08-trns.png": Good("PNG", (32, 32), (176.1, 221.0, 174.2), 127.8),
    "basn4a08.png": Good("PNG", (32, 32), grey(191.2), 127.0),
    "basn4a16.png": Good("PNG", (32, 32), grey(214.2), 79.6),
    "basn6a08.png": Good("PNG", (32, 32), (178.1, 223.2, 175.2), 127.0),
    "basn6a16.png": Good("PNG", (32, 32), (215.2, 215.2, 195.3), 79.6),
    "ftbbn0g01.png": Good("PNG", (32, 32), grey(255.0), 70.0),
    "ftbbn0g02.png": Good("PNG", (32, 32), grey(231.7), 70.0),
    "ftbbn0g04.png": Good("PNG", (32, 32), grey(171.7), 139.5),
    "ftbbn2c16.png": Good("PNG", (32, 32), (167.2, 174.4, 169.3), 142.2),
    "ftbbn3p08.png": Good("PNG", (32, 32), (167.1, 174.4, 169.3), 141.9),
    "ftbgn2c16.png": Good("PNG", (32, 32), (167.2, 174.4, 169.3), 142.2),
    "ftbgn3p08.png": Good("PNG", (32, 32), (167.1, 174.4, 169.3), 141.9),
    "ftbrn2c08.png": Good("PNG", (32, 32), (167.2, 174.4, 169.3), 142.2),
    "ftbwn0g16.png": Good("PNG", (32, 32), grey(171.7), 142.2),
    "ftbwn3p08.png": Good("PNG", (32, 32), (167.1, 174.4, 169.3), 141.9),
    "ftbyn3p08.png": Good("PNG", (32, 32), (167.1, 174.4, 169.3), 141.9),
    "ftp0n0g08.png": Good("PNG", (32, 32), grey(115.1)),
    "ftp0n2c08.png": Good("PNG", (32, 32), (110.6, 117.8, 112.7)),
    "ftp0n3p08.png": Good("PNG", (32, 32), (110.5, 117.8, 112.7)),
    "ftp1n3p08.png": Good("PNG", (32, 32), (167.1, 174.4, 169.3), 141.9),
    "invalid-crc32.png": "E_CORRUPT",
    "invalid-noend.png": "E_TRUNCATED",
    "invalid-palette.png": Good("PNG", (16, 16), (127.5, 0.0, 126.5)),  # samples beyond the palette are black
    "invalid-trunc.png": "E_TRUNCATED",
    "invalid-zlib.png": "E_CORRUPT",
    "video-001.5bpp.gif": Good("GIF", (103, 150), (144.6, 94.9, 71.6)),
    "video-001.cmyk.jpeg": Good("JPEG", (103, 150), (96.4, 58.3, 50.5)),
    "video-001.cmyk.png": Good("PNG", (103, 150), (96.2, 57.9, 50.3)),
    "video-001.progressive.jpeg": Good("JPEG", (103, 150), (144.8, 94.6, 70.3)),
    "video-001.progressive.truncated.jpeg": Good("JPEG", (103, 150), (144.2, 94.3, 70.3)),
    "video-001.progressive.truncated.png": Good("PNG", (103, 150), (144.2, 94.3, 70.3)),
    "video-001.q50.410.progressive.jpeg": Good("JPEG", (103, 150), (144.0, 94.4, 71.0)),
    "video-001.q50.411.progressive.jpeg": Good("JPEG", (103, 150), (144.2, 94.4, 70.9)),
    "video-001.q50.420.progressive.jpeg": Good("JPEG", (103, 150), (144.1, 94.4, 70.7)),
    "video-001.q50.422.progressive.jpeg": Good("JPEG", (103, 150), (144.3, 94.4, 70.7)),
    "video-001.q50.440.progressive.jpeg": Good("JPEG", (103, 150), (144.3, 94.3, 70.8)),
    "video-001.q50.444.progressive.jpeg": Good("JPEG", (103, 150), (144.3, 94.5, 70.7)),
    "video-001.separate.dc.progression.progressive.jpeg": Good("JPEG", (103, 150), (144.6, 94.5, 70.5)),
    "video-005.gray.q50.2x2.progressive.jpeg": Good("JPEG", (103, 150), grey(125.6)),
    "video-005.gray.q50.progressive.jpeg": Good("JPEG", (103, 150), grey(125.6)),
}
GOOD = {name: good for name, good in EXPECTED.items() if isinstance(good, Good)}
BAD = {name: code for name, code in EXPECTED.items() if isinstance(code, str)}
# The tRNS value of the grey PNGs, scaled to 8 bits (16 bits for the last).
GREY_KEYS = {"ftbbn0g01.png": 0, "ftbbn0g02.png": 0, "ftbbn0g04.png": 255, "ftbwn0g16.png": 65535}


def opencv(name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """OpenCV's decode as uint8 RGB [H,W,3] and alpha [H,W] or None, 16 bits scaled by 257."""
    import cv2

    raw = cv2.imread(str(ODD / name), cv2.IMREAD_UNCHANGED)
    mask = (raw != GREY_KEYS[name]) * np.uint8(255) if name in GREY_KEYS else None
    pixels = np.rint(raw / 257).astype(np.uint8) if raw.dtype == np.uint16 else raw
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2), mask
    return pixels[..., 2::-1], pixels[..., 3] if pixels.shape[2] == 4 else mask


def test_every_odd_file_has_its_expected_outcome_and_no_other() -> None:
    assert set(EXPECTED) == {path.name for path in ODD.iterdir()} - {"LICENCES.md"}
    assert len(EXPECTED) == 55


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_refused_with_its_code(name: str) -> None:
    with pytest.raises(I2IError) as caught:
        codec.read(ODD / name)
    assert caught.value.code == BAD[name]
    assert caught.value.path == ODD / name
    with pytest.raises(I2IError) as scanned:
        codec.check(ODD / name)
    assert scanned.value.code == BAD[name]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_reads_as_written_down(name: str) -> None:
    picture, good = codec.read(ODD / name), GOOD[name]
    assert picture.format == good.format
    assert picture.pixels.shape == (*good.size, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.warnings == ()
    assert picture.pixels.mean(axis=(0, 1)) == pytest.approx(good.mean, abs=0.06)
    if good.alpha is None:
        assert picture.alpha is None
    else:
        assert picture.alpha is not None
        assert picture.alpha.mean() == pytest.approx(good.alpha, abs=0.06)
    facts = codec.check(ODD / name)
    assert (facts.format, facts.height, facts.width) == (good.format, *good.size)
    assert facts.has_alpha == (good.alpha is not None)


@pytest.mark.parametrize("name", GOOD)
def test_an_independent_decoder_sees_the_same_pixels(name: str) -> None:
    colour, alpha = opencv(name)
    picture = codec.read(ODD / name, colour="labels")  # without blending
    # Two decoders of JPEG may round differently; OpenCV converts CMYK by a formula of its own.
    tolerance = 2 if picture.format == "JPEG" else 0
    assert np.abs(picture.pixels.astype(int) - colour).max() <= tolerance
    assert (picture.alpha is None) == (alpha is None)
    if alpha is not None:
        assert np.array_equal(picture.alpha, alpha)
        over_white = np.rint(colour * (alpha[..., None] / 255) + 255 * (1 - alpha[..., None] / 255))
        assert np.abs(codec.read(ODD / name).pixels - over_white).max() <= 1


@pytest.mark.parametrize("name", GOOD)
def test_the_grey_reading_is_the_luma_of_the_colour_reading(name: str) -> None:
    colour = codec.read(ODD / name).pixels.astype(float)
    luma = colour @ np.array([0.299, 0.587, 0.114])
    picture = codec.read(ODD / name, colour="gray")
    assert picture.pixels.shape == (*GOOD[name].size, 1)
    assert np.abs(picture.pixels[..., 0] - luma).max() <= 0.51


@pytest.mark.parametrize("name", GOOD)
def test_the_rgba_reading_holds_colour_unblended_and_alpha(name: str) -> None:
    plain = codec.read(ODD / name, colour="labels")
    picture = codec.read(ODD / name, colour="rgba")
    assert picture.alpha is None
    assert np.array_equal(picture.pixels[..., :3], plain.pixels)
    assert np.array_equal(picture.pixels[..., 3], np.full(GOOD[name].size, 255) if plain.alpha is None else plain.alpha)


def test_the_same_drawing_reads_alike_from_every_depth() -> None:
    true = codec.read(ODD / "ftbrn2c08.png")
    for name in ("ftbbn2c16.png", "ftbgn2c16.png"):
        assert np.array_equal(codec.read(ODD / name).pixels, true.pixels)
        assert np.array_equal(codec.read(ODD / name).alpha, true.alpha)
    for name in ("ftbbn3p08.png", "ftbgn3p08.png", "ftbwn3p08.png", "ftbyn3p08.png", "ftp1n3p08.png"):
        assert np.abs(codec.read(ODD / name).pixels - true.pixels.astype(float)).mean() < 3


def test_a_jpeg_that_ends_properly_after_missing_scans_equals_its_png() -> None:
    jpeg = codec.read(ODD / "video-001.progressive.truncated.jpeg").pixels.astype(int)
    png = codec.read(ODD / "video-001.progressive.truncated.png").pixels
    assert np.abs(jpeg - png).mean() < 2


def test_an_adobe_cmyk_jpeg_is_not_inverted() -> None:
    jpeg = codec.read(ODD / "video-001.cmyk.jpeg").pixels.astype(int)
    png = codec.read(ODD / "video-001.cmyk.png").pixels
    assert np.abs(jpeg - png).mean() < 2
