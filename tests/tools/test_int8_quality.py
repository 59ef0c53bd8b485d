"""The table of what int8 costs: a real model on real pairs, and models without data named as such."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import int8_quality


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["int8_quality.py", *words])
    assert int8_quality.main() == 0


def test_a_model_without_its_data_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(monkeypatch, "digits", "--data", f"digits={tmp_path / 'none'}")
    assert "python tools/train_pretrained.py digits builds them" in capsys.readouterr().out


@pytest.mark.slow
def test_a_shipped_model_keeps_its_own_metrics_in_int8(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "quality.json"
    run(monkeypatch, "satellite2relief", "--json", str(file))
    result = json.loads(file.read_text())["satellite2relief"]
    assert result["psnr"] > 36  # the gate of 40 dB is held on training pictures that were not counted
    assert abs(result["metrics"]["fp32"]["psnr"] - result["metrics"]["int8"]["psnr"]) < 0.3
    assert "| `satellite2relief` |" in capsys.readouterr().out
