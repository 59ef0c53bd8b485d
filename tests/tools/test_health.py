"""The bench of the health monitor: its pictures, its file, its table, and every row as a recipe that holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import health

from i2i.training.remedies import REMEDIES


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    health.pictures(folder, count=20, size=16)
    return folder


def test_the_pictures_are_digits_alone_and_beside_noise(data: Path) -> None:
    digit = np.asarray(Image.open(data / "images/train/0007.png"))
    assert digit.shape == (16, 16)
    assert digit.max() > 200
    assert digit.min() == 0
    assert np.array_equal(np.asarray(Image.open(data / "pairs/train/B/0007.png")), digit)
    noise = np.asarray(Image.open(data / "pairs/train/A/0007.png"))
    assert noise.shape == (16, 16, 3)
    assert len(list((data / "images/train").iterdir())) == 20


@pytest.mark.parametrize("name", list(health.ROWS))
def test_every_row_is_a_recipe_and_expects_what_can_be_found(name: str, data: Path) -> None:
    made = health.recipe(health.ROWS[name], data=data, seed=3, steps=7)
    assert (made.training.seed, made.training.steps, made.training.health_every) == (3, 7, 50)
    assert set(health.ROWS[name].expected) <= set(REMEDIES)


def test_ten_failures_and_ten_healthy_runs_or_more_were_there_for_tuning() -> None:
    failing = [row for row in health.TUNING.values() if row.expected]
    assert min(len(failing), len(health.TUNING) - len(failing)) >= 10
    assert {bool(row.expected) for row in health.KEPT_BACK.values()} == {True, False}


def line(**values: Any) -> dict[str, Any]:
    return {"row": "gan", "seed": 0, "steps": 2, "expected": "", "found": "", "right": 1, "step": "", **values}


def test_a_row_is_trained_once_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "health.csv"
    words = ["health.py", "--csv", str(path), "--steps", "2", "--out", str(tmp_path / "runs"), "--rows"]
    monkeypatch.setattr("sys.argv", [*words, "gan"])
    assert health.main() == 0
    first = path.read_text()
    monkeypatch.setattr("sys.argv", [*words, "gan", "collapse"])
    assert health.main() == 0
    assert path.read_text().startswith(first)
    found = health.read(path)
    assert [(line["row"], line["found"], line["right"]) for line in found] == [("gan", "", "1"), ("collapse", "", "0")]
    assert (tmp_path / "runs/collapse-0/report.html").exists()


def test_what_was_told_is_read_from_the_log(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"step": 50, "health": {"diversity": 1.0}}\n{"step": 60, "losses": {}}\n'
        '{"step": 100, "health": {"findings": [{"name": "a", "passed": false}, {"name": "b", "passed": true}]}}\n'
    )
    assert health.findings(tmp_path) == [(100, "a")]


def test_the_table_counts_what_was_tuned_on_apart_from_what_was_not() -> None:
    failure = {"row": "collapse", "expected": "outputs_alike oscillation", "found": "outputs_alike@250", "step": 250}
    rows = [
        line(),
        line(seed=1, found="oscillation@300", right=0),
        line(**failure),
        line(**failure, seed=1),
        line(**failure, seed=2, right=0),
    ]
    said = health.table([{name: str(value) for name, value in row.items()} for row in rows])
    assert "\nfailures named: 1 of 1\n" in said
    assert "\nfailures named, not used for tuning: 1 of 2\n" in said
    assert "\nhealthy runs without an alarm: 1 of 1\n" in said
    assert "\nhealthy runs without an alarm, not used for tuning: 0 of 1\n" in said
    assert "| collapse | 0 | outputs_alike or oscillation | outputs_alike@250 | 250 |" in said


def test_the_committed_results_belong_to_rows_that_are_there() -> None:
    lines = health.read(health.HERE / "health.csv")
    assert {line["row"] for line in lines} <= set(health.ROWS)
    for line in lines:
        assert line["expected"].split() == list(health.ROWS[line["row"]].expected), line["row"]
