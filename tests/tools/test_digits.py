"""Digits with known factors: what the table says is what the pictures show, and none is cut off."""

from __future__ import annotations

import csv
import io
import math
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import digits
from digits import Factors

from i2i.data.domains_source import DomainsSource
from i2i.images.codec import read


@pytest.fixture(scope="module")
def font() -> digits.Font:
    (font,) = digits.load([], size=32)
    return font


def ink(factors: Factors, font: digits.Font, *, size: int = 32) -> np.ndarray:
    """The picture, 0..1."""
    picture = digits.render(factors, font, size=size)
    assert (picture.mode, picture.size) == ("L", (size, size))
    return np.asarray(picture, np.float64) / 255


def lean(picture: np.ndarray) -> float:
    """The angle in degrees by which a stroke leans to the right: its horizontal places regressed on the height."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    up = -(rows - np.average(rows, weights=picture))
    right = columns - np.average(columns, weights=picture)
    return math.degrees(math.atan(float((picture * up * right).sum() / (picture * up * up).sum())))


@pytest.mark.parametrize("slant", [-25.0, -10.0, 10.0, 25.0])
def test_the_slant_is_the_angle_of_the_strokes(font: digits.Font, slant: float) -> None:
    # Of an 0, which is symmetric: shearing adds tan(slant) to its regression, which is 0. Pixels allow a degree.
    assert lean(ink(Factors(0), font, size=64)) == pytest.approx(0, abs=0.2)
    assert lean(ink(Factors(0, slant=slant), font, size=64)) == pytest.approx(slant, abs=1.0)


@pytest.mark.parametrize("digit", range(10))
def test_every_bit_of_weight_adds_ink_and_none_adds_height(font: digits.Font, digit: int) -> None:
    weights = np.linspace(0, 1, 11)
    pictures = [ink(Factors(digit, weight=float(weight)), font) for weight in weights]
    amounts = [float(picture.sum()) for picture in pictures]
    assert all(less < more for less, more in pairwise(amounts))
    assert amounts[-1] > 1.4 * amounts[0]
    heights = [int((picture.max(1) > 0.5).sum()) for picture in pictures]
    assert max(heights) - min(heights) <= 1
    assert heights[0] in (22, 23, 24)  # 0.72 x 32 = 23


def test_shift_and_scale_move_and_shrink(font: digits.Font) -> None:
    def middle(picture: np.ndarray) -> tuple[float, float]:
        rows, columns = np.nonzero(picture > 0.5)
        return float(rows.min() + rows.max()) / 2, float(columns.min() + columns.max()) / 2

    (row, column), (down, right) = middle(ink(Factors(8), font)), middle(ink(Factors(8, shift=(1 / 16, -1 / 32)), font))
    assert (right - column, down - row) == (2, -1)
    half = ink(Factors(8, scale=0.5), font)
    assert (half.max(1) > 0.5).sum() == pytest.approx(0.5 * 0.72 * 32, abs=1)


def test_no_digit_reaches_the_border_at_the_ends_of_every_range(font: digits.Font) -> None:
    ends = (-1.0, 1.0)
    for digit in range(10):
        for slant, weight, right, down in [(s, w, x, y) for s in ends for w in (0.0, 1.0) for x in ends for y in ends]:
            shift = (right * digits.MOST_SHIFT, down * digits.MOST_SHIFT)
            picture = ink(Factors(digit, slant * digits.MOST_SLANT, weight, digits.SCALES[1], shift), font)
            assert max(picture[0].max(), picture[-1].max(), picture[:, 0].max(), picture[:, -1].max()) == 0


def test_factors_are_a_function_of_seed_and_number_and_fill_their_ranges() -> None:
    many = [digits.drawn(0, number, fonts=3) for number in range(500)]
    assert many[7] == digits.drawn(0, 7, fonts=3)
    assert many[7].slant != digits.drawn(1, 7, fonts=3).slant
    assert Counter(factors.digit for factors in many) == dict.fromkeys(range(10), 50)
    for values, low, high in (
        ([factors.slant for factors in many], -25, 25),
        ([factors.weight for factors in many], 0, 1),
        ([factors.scale for factors in many], 0.85, 1),
        ([factors.shift[0] for factors in many], -1 / 16, 1 / 16),
        ([factors.shift[1] for factors in many], -1 / 16, 1 / 16),
    ):
        # Of 500 even draws, none lies in a fiftieth of the range at either end with a chance of 4e-5.
        assert low <= min(values) < low + (high - low) / 50
        assert high - (high - low) / 50 < max(values) <= high
    assert set(Counter(factors.font for factors in many)) == {0, 1, 2}


def test_the_folder_is_a_set_of_domains_and_the_table_names_every_picture(tmp_path: Path) -> None:
    digits.main([str(tmp_path / "out"), "--size", "16", "--count", "200", "--seed", "3"])
    source = DomainsSource(root=tmp_path / "out")
    found = source.scan()
    found.raise_if_bad()
    assert source.condition.names == tuple("0123456789")
    assert {split: len(pictures) for split, pictures in found.samples.items()} == {"train": 160, "val": 20, "test": 20}
    with (tmp_path / "out/factors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["split", "file", "digit", "slant", "weight", "font"]
    assert {Path(row["split"], row["file"]) for row in rows} == {
        path for paths in found.samples.values() for path in paths
    }
    (row,) = [row for row in rows if row["file"] == "7/00187.png"]
    factors = digits.drawn(3, 187)
    assert (row["split"], row["digit"], row["font"]) == ("val", "7", "Aileron Regular")
    assert (float(row["slant"]), float(row["weight"])) == (
        pytest.approx(factors.slant, abs=1e-3),
        pytest.approx(factors.weight, abs=1e-4),
    )
    (font,) = digits.load([], size=16)
    shown = read(tmp_path / "out/val/7/00187.png", colour="gray").pixels[..., 0]
    assert np.array_equal(shown, np.asarray(digits.render(factors, font, size=16)))


def test_pictures_are_shared_out_among_the_fonts_that_are_given(
    tmp_path: Path, font: digits.Font, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(font.path, io.BytesIO)
    (tmp_path / "a.ttf").write_bytes(font.path.getvalue())
    fonts = digits.load([str(tmp_path / "a.ttf"), str(tmp_path / "a.ttf")], size=32)
    for factors in (Factors(4), Factors(4, slant=20, weight=0.5)):
        assert np.array_equal(ink(factors, fonts[1]), ink(factors, font))
    digits.main([str(tmp_path / "out"), "--size", "8", "--count", "100", "--fonts", str(tmp_path / "a.ttf")])
    assert "train 80 pictures of 8 px" in capsys.readouterr().out


def test_a_character_that_is_blank_or_not_in_the_font_is_noticed(font: digits.Font) -> None:
    assert [digits.draws(font, text) for text in ("7", " ", "\u9f98")] == [True, False, False]


@pytest.mark.parametrize(("arguments", "said"), [(["--count", "99"], "--count 100"), (["--size", "7"], "--size is 8")])
def test_too_few_or_too_small_pictures_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit):
        digits.main([str(tmp_path / "out"), *arguments])
    assert said in capsys.readouterr().err


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(SystemExit):
        digits.main([str(tmp_path)])
    assert "is not empty; name a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
