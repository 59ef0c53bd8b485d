"""The bench of few labels: how digits are dealt, what a row costs a few steps, its file and its table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import semi_supervised

LINE = {"steps": "1", "seconds": "0"}


def test_the_digits_are_dealt_by_the_seed_and_few_labels_are_among_many() -> None:
    few, many, other = (semi_supervised.split(labels=n, seed=s) for n, s in ((5, 0), (20, 0), (5, 1)))
    assert few.pictures.shape == (1297, 1, 8, 8)
    assert few.test.shape == (500, 1, 8, 8)
    assert torch.bincount(few.digits[few.labelled]).tolist() == [5] * 10
    assert set(few.labelled.tolist()) < set(many.labelled.tolist())
    assert torch.equal(few.test, many.test)
    assert not torch.equal(few.test, other.test)
    assert (float(few.pictures.min()), float(few.pictures.max())) == (-1.0, 1.0)


def test_a_batch_has_its_labelled_pictures_first_and_no_label_on_the_others() -> None:
    data = semi_supervised.split(labels=5, seed=0)
    given = semi_supervised.batch(data, others=30)
    count = semi_supervised.LABELLED
    assert given.image.shape == (count + 30, 1, 8, 8)
    assert (given.condition[:count] >= 0).all()
    assert (given.condition[count:] == -1).all()


@pytest.mark.parametrize("row", semi_supervised.ROWS)
def test_every_row_runs(row: str) -> None:
    line = semi_supervised.measure(20, row, 0, steps=3)
    assert set(line) == {"labels", "row", "seed", "steps", "error", "seconds"}
    assert 0 < line["error"] < (0.1 if row in semi_supervised.CLASSICAL else 1)


def test_the_supervised_row_never_asks_the_generator() -> None:
    method, engine = semi_supervised.build("supervised")
    before = [parameter.detach().clone() for parameter in method.generator.parameters()]
    engine.begin(seed=0, step=0, rate_factor=1.0)
    semi_supervised.supervised_step(
        method, semi_supervised.batch(semi_supervised.split(labels=5, seed=0), others=0), engine
    )
    assert all(torch.equal(p, q) for p, q in zip(method.generator.parameters(), before, strict=True))


def test_the_table_pairs_the_seeds() -> None:
    errors = {"supervised": (0.3, 0.2, 0.1), "plain": (0.2, 0.1, 0.03)}
    lines = [
        {"labels": "5", "row": row, "seed": str(seed), "error": str(error), **LINE}
        for row, found in errors.items()
        for seed, error in enumerate(found)
    ]
    # Gains 0.1, 0.1, 0.07: mean 0.09, deviation 0.01732, two standard errors 0.02.
    assert "| plain | 3 | 11.0% | +9.0% +- 2.0% |" in semi_supervised.table(lines)
    assert "| supervised | 3 | 20.0% |  |" in semi_supervised.table(lines)


def test_what_is_in_the_file_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "few.csv"
    words = ["semi_supervised.py", "--csv", str(path), "--rows", "plain", "--labels", "5", "--steps", "1", "--seeds"]
    monkeypatch.setattr("sys.argv", [*words, "0"])
    assert semi_supervised.main() == 0
    first = path.read_text()
    monkeypatch.setattr("sys.argv", [*words, "0", "1"])
    assert semi_supervised.main() == 0
    assert path.read_text().startswith(first)
    assert [line["seed"] for line in semi_supervised.read(path)] == ["0", "1"]
