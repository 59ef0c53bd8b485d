"""The table of what int8 costs: a real model on real pairs, and models without data named as such."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import int8_quality
import train_pretrained
from subset import copied

ROOT = Path(__file__).parents[2]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["int8_quality.py", *words])
    assert int8_quality.main() == 0


def test_every_shipped_model_is_in_the_table() -> None:
    shipped = {folder.parent.name for folder in (ROOT / "pretrained").glob("*/model.onnx")}
    assert shipped == set(train_pretrained.MODELS)


def test_a_model_without_its_data_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(monkeypatch, "digits", "--data", f"digits={tmp_path / 'none'}", "--out", str(tmp_path / "quality.csv"))
    assert "python tools/train_pretrained.py digits builds them" in capsys.readouterr().err
    assert not (tmp_path / "quality.csv").exists()  # it is measured when they are there


def test_a_part_of_a_data_set_keeps_its_layout_its_pairs_and_its_list(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for side, numbers in (("a", range(0, 10)), ("b", range(4, 14))):
        for number in numbers:
            file = data / "test" / side / f"{number:02}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
    rows = [f"test/a/{number:02}.png {number % 2}" for number in range(10)]
    (data / "list_attr.txt").write_text("\n".join(["10", "odd", *rows, ""]))
    out = copied(data, tmp_path / "out", test=3)
    for side in "ab":
        assert sorted(path.name for path in (out / "test" / side).iterdir()) == ["04.png", "06.png", "09.png"]
    kept = ["3", "odd", "test/a/04.png 0", "test/a/06.png 0", "test/a/09.png 1"]
    assert (out / "list_attr.txt").read_text().splitlines() == kept


@pytest.mark.slow
def test_a_shipped_model_keeps_its_own_metrics_in_int8_and_is_measured_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "quality.csv"
    words = ["satellite2relief", "--count", "24", "--out", str(file)]
    run(monkeypatch, *words)
    (line,) = csv.DictReader(file.open())
    assert float(line["psnr_to_fp32"]) > 36  # the gate of 40 dB is held on training pictures that were not counted
    assert abs(json.loads(line["fp32"])["psnr"] - json.loads(line["int8"])["psnr"]) < 0.3
    first = capsys.readouterr().out.splitlines()[-1]
    assert first.startswith("| `satellite2relief` |")
    run(monkeypatch, *words)
    assert capsys.readouterr().out.splitlines()[-1] == first
    assert len(list(csv.DictReader(file.open()))) == 1
