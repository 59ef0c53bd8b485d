"""The bench of LAPGAN: its variants are recipes that differ in the generator alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import lapgan_scales

from i2i.cli.main import main


@pytest.mark.parametrize("name", list(lapgan_scales.VARIANTS))
def test_a_variant_is_a_recipe_in_which_all_but_the_generator_is_shared(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variant = lapgan_scales.VARIANTS[name]
    file = tmp_path / "recipe.yaml"
    file.write_text(json.dumps(lapgan_scales.SHARED | variant.settings))
    words = ["train", variant.preset, "--data", "digits", "--out", "runs", "-c", str(file), "--print-recipe"]
    assert main(words) == 0
    recipe = yaml.safe_load(capsys.readouterr().out)
    assert set(variant.settings) == {"generator"}
    assert recipe["generator"].items() >= variant.settings["generator"].items()
    for part in ("optimiser", "training", "discriminator"):
        assert recipe[part].items() >= lapgan_scales.SHARED[part].items()
    assert recipe["stabilisers"] == lapgan_scales.SHARED["stabilisers"]
    assert recipe["objective"]["type"] == "non_saturating"


def test_the_seconds_of_a_run_are_those_of_its_steps(tmp_path: Path) -> None:
    lines = [{"step": 50, "ms_per_step": 300.0}, {"step": 50, "metrics": {}}, {"step": 100, "ms_per_step": 100.0}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert lapgan_scales.seconds(tmp_path) == pytest.approx(100 * 200 / 1000)
