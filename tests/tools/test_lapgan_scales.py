"""The bench of LAPGAN: its variants are recipes that differ in their networks, and in how often a level plays."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import lapgan_scales

from i2i.cli.main import main


def resolved(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The whole recipe of a variant, as the command line resolves it."""
    variant = lapgan_scales.VARIANTS[name]
    file = tmp_path / "recipe.yaml"
    file.write_text(json.dumps(lapgan_scales.recipe(variant)))
    words = ["train", variant.preset, "--data", "digits", "--out", "runs", "-c", str(file), "--print-recipe"]
    assert main(words) == 0
    found: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", list(lapgan_scales.VARIANTS))
def test_a_variant_is_a_recipe_in_which_all_but_the_networks_is_shared(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, shared = resolved(name, tmp_path, capsys), lapgan_scales.SHARED
    settings = lapgan_scales.VARIANTS[name].settings
    assert settings.keys() <= {"method", "generator", "discriminator", "training"}
    assert recipe["generator"].items() >= settings["generator"].items()
    assert recipe["discriminator"].items() >= settings["discriminator"].items()
    assert recipe["optimiser"].items() >= shared["optimiser"].items()
    pairs = zip(recipe["stabilisers"], shared["stabilisers"], strict=True)
    assert all(resolved_one.items() >= given.items() for resolved_one, given in pairs)
    assert recipe["objective"]["type"] == "non_saturating"
    turns = recipe["method"].get("coarse_turns", 1)
    per_turn = {"batch_size": recipe["training"]["batch_size"] // turns}
    assert (recipe["training"] | per_turn).items() >= shared["training"].items()


@pytest.mark.parametrize("name", list(lapgan_scales.VARIANTS))
def test_all_critics_of_a_variant_have_he_weights_and_no_norms(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = resolved(name, tmp_path, capsys)
    own = recipe["method"].get("coarse_discriminator")
    for critic in [recipe["discriminator"], *([own] if own else [])]:
        assert (critic["type"], critic["norm"], critic["initialisation"]) == ("dcgan_critic", "none", "he")


def test_the_seconds_of_a_run_are_those_of_its_steps(tmp_path: Path) -> None:
    lines = [{"step": 1, "ms_per_step": 900.0}, {"step": 50, "ms_per_step": 200.0}, {"step": 50, "metrics": {}}]
    lines += [{"step": 100, "ms_per_step": 100.0}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert lapgan_scales.seconds(tmp_path) == pytest.approx(100 * 200 / 1000)
