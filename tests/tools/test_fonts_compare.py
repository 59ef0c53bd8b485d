"""Trainings that are compared: many fonts in one network, each in its own, L1 alone, and a font that comes later."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from i2i.cli.main import main
from i2i.weights.store import load_model

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import fonts_compare
import new_font

FONTS = Path(__file__).parents[1] / "data" / "fonts"
TEXT = "壕侣亲惨寞端榆滔啃熊"
MA, XIAO = "Ma Shan Zheng", "ZCOOL XiaoWei"
RECIPE = {
    "preset": "zi2zi",
    "data": {
        "source": "NotoSansSC.otf",
        "characters": TEXT,
        "test_characters": 3,
        "augmentation": {"size": 16, "mode": "resize", "flips": []},
    },
    "generator": {"type": "zi2zi", "depth": 4, "channels": 4},
    "discriminator": {"type": "zi2zi_critic", "size": 16, "channels": 4},
    "training": {
        "steps": 4,
        "batch_size": 2,
        "precision": "fp32",
        "monitored_pictures": 2,
        "tensorboard": False,
    },
}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(RECIPE, allow_unicode=True), encoding="utf-8")
    return path


def finish(run: Path, preset: str, *options: str) -> None:
    """A training in this process: a new one takes long to import torch."""
    if not (run / "report.html").exists():
        assert main(["train", preset, "--out", str(run), *options]) == 0


def test_the_networks_that_are_compared_differ_in_what_they_are_said_to(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts_compare, "finish", finish)
    words = ["--data", str(FONTS), "--out", str(tmp_path / "runs"), "-c", str(recipe), "--judge-steps", "3"]
    words += ["--json", str(tmp_path / "table.json")]
    assert fonts_compare.main([*words, "--fonts", XIAO]) == 0
    runs = {path.name: yaml.safe_load((path / "recipe.yaml").read_text()) for path in (tmp_path / "runs").iterdir()}
    assert set(runs) == {"many", "l1", "single-ZCOOLXiaoWei"}
    steps = {name: recipe["training"]["steps"] for name, recipe in runs.items()}
    assert steps == {"many": 4, "l1": 4, "single-ZCOOLXiaoWei": 2}
    weights = ("adversarial_weight", "l1_weight", "constancy_weight", "category_weight")
    found = {name: [recipe["method"][weight] for weight in weights] for name, recipe in runs.items()}
    assert found == {"many": [1, 100, 15, 1], "l1": [0, 100, 0, 0], "single-ZCOOLXiaoWei": [1, 100, 0, 0]}
    _, card = load_model(tmp_path / "runs/single-ZCOOLXiaoWei/model")
    assert card.condition is not None and card.condition.names == (XIAO,)
    table = json.loads((tmp_path / "table.json").read_text())
    assert list(table) == ["source", "mean", "l1", "single", "many", "real"]
    assert set(table["single"]) == {XIAO} and set(table["many"]) == {MA, XIAO}
    assert set(table["many"][MA]) == {"l1", "ssim", "ink_iou", "accuracy", "real_accuracy"}
    said = capsys.readouterr().out
    assert f"| | {MA} | {XIAO} | mean |" in said
    assert next(line for line in said.splitlines() if line.startswith("| single |")).startswith("| single |  | 0.")
    assert fonts_compare.main([*words, "--fonts", "ZCOOL Xiao"]) == 2
    assert "did you mean 'ZCOOL XiaoWei'?" in capsys.readouterr().err


def test_a_new_font_is_compared_with_a_training_from_scratch_on_the_same_glyphs(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_font, "finish", finish)
    run = tmp_path / "run"
    assert main(["train", "zi2zi", "--out", str(run), "-c", str(recipe), "--data", str(FONTS)]) == 0
    words = [str(run), "--source", str(FONTS / "NotoSansSC.otf"), "--font", str(FONTS / "MaShanZheng.ttf")]
    words += ["--name", "New", "--characters", TEXT, "--test-characters", "3", "--count", "5", "--steps", "3"]
    words += ["--out", str(tmp_path / "new")]
    capsys.readouterr()
    assert new_font.main(words) == 0
    said = capsys.readouterr().out
    names = [line.split(" | ")[0].strip("| ") for line in said.splitlines() if line.startswith("| ")]
    assert names[1:] == ["source glyph", "mean glyph", "before", "row", "row + decoder", "from scratch"]
    assert "old fonts, row: equal to the bit (3 glyphs of each)" in said
    assert "old fonts, decoder: L1 to what they were 0." in said
    scratch = yaml.safe_load((tmp_path / "new/scratch/recipe.yaml").read_text())
    assert (scratch["data"]["train_characters"], scratch["training"]["steps"]) == (5, 3)
    for name, fonts in (("row", 3), ("decoder", 3), ("scratch/model", 1)):
        _, card = load_model(tmp_path / "new" / name)
        assert card.condition is not None and len(card.condition.names) == fonts
    assert new_font.main([*words, "-c", str(tmp_path / "none.yaml")]) == 2
