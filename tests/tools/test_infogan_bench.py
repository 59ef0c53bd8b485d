"""The bench of InfoGAN: digits whose factors are known, what is measured of codes, and its file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import infogan


def test_a_slant_moves_the_top_to_the_right_and_a_weight_adds_ink() -> None:
    plain, slanted, heavy = (
        np.asarray(infogan.digit(1, slant, weight), float) for slant, weight in ((0, 0), (0.3, 0), (0, 2))
    )
    columns = np.arange(infogan.SIZE)

    def centre(rows: np.ndarray) -> float:
        return float((rows.sum(0) * columns).sum() / rows.sum())

    assert centre(slanted[:8]) > centre(plain[:8]) + 0.5
    assert centre(slanted[8:]) < centre(plain[8:]) - 0.5
    assert heavy.sum() > 1.3 * plain.sum()


def test_drawn_digits_are_a_function_of_the_seed_and_lie_in_the_cards_range() -> None:
    one, other = infogan.drawn(20, seed=7), infogan.drawn(20, seed=8)
    assert one.pictures.shape == (20, 1, 16, 16)
    assert (float(one.pictures.min()), float(one.pictures.max())) == (-1.0, 1.0)
    assert not np.array_equal(one.factors, other.factors)
    infogan.drawn.cache_clear()
    assert np.array_equal(one.pictures.numpy(), infogan.drawn(20, seed=7).pictures.numpy())


def test_categories_are_matched_with_digits_at_their_best() -> None:
    digits = np.repeat(np.arange(10), 10)
    categories = (digits + 3) % 10  # right throughout, by other names
    share, names = infogan.matched(categories, digits)
    assert share == 1.0
    assert names.tolist() == [(category - 3) % 10 for category in range(10)]
    # Ones that are all taken for sevens: the category of the ones is left with nothing.
    share, _ = infogan.matched(np.where(digits == 1, (7 + 3) % 10, categories), digits)
    assert share == pytest.approx(0.9)


def test_correlations_are_those_of_each_code_with_each_factor_without_sign() -> None:
    factor = np.array([0.0, 1.0, 2.0, 3.0])
    codes = np.stack((-2 * factor + 1, np.array([1.0, -1.0, -1.0, 1.0])), 1)
    assert infogan.correlations(codes, factor[:, None]).ravel() == pytest.approx([1.0, 0.0], abs=1e-12)


def test_what_is_in_the_file_is_not_run_again_and_the_picture_has_a_line_a_category(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infogan.TRAIN", 80)
    monkeypatch.setattr("infogan.TEST", 30)
    path = tmp_path / "infogan.csv"
    words = ["infogan.py", "--csv", str(path), "--steps", "1", "--seeds"]
    monkeypatch.setattr("sys.argv", [*words, "0"])
    assert infogan.main() == 0
    first = path.read_text()
    monkeypatch.setattr("sys.argv", [*words, "0", "1"])
    assert infogan.main() == 0
    assert path.read_text().startswith(first)
    assert [line["seed"] for line in infogan.read(path)] == ["0", "1"]
    assert "| median of 2 |" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", [*words, "0", "--picture", str(tmp_path / "codes.png")])
    assert infogan.main() == 0
    assert Image.open(tmp_path / "codes.png").size == (2 * infogan.COLUMNS * 16 * 3, 10 * 16 * 3)


def test_the_committed_results_are_those_of_the_settings_that_are_there() -> None:
    lines = infogan.read(infogan.HERE / "infogan.csv")
    assert [line["seed"] for line in lines] == ["0", "1", "2", "3", "4"]
    assert {line["steps"] for line in lines} == {"1200"}
    assert set(infogan.MEASURED) < set(lines[0])
