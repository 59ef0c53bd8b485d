"""The bench of StarGAN's parts: its variants are recipes that differ in the one thing they are named for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import stargan_ablation

from i2i.cli.main import main

CHANGED = {
    "full": {},
    "no_classification": {"method.classification_weight": 0.0},
    "no_reconstruction": {"method.reconstruction_weight": 0.0},
    "planes": {"generator.conditioning": "planes"},
    "labels": {"method.differences": False},
}


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A tree of settings as dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def recipe(variant: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    words = [*stargan_ablation.settings(32, 16, 7), *stargan_ablation.VARIANTS[variant]]
    assert main(["train", "stargan", "--data", "faces", "--out", "runs", "--print-recipe", *words]) == 0
    return flat(yaml.safe_load(capsys.readouterr().out))


@pytest.mark.parametrize("variant", list(stargan_ablation.VARIANTS))
def test_a_variant_differs_from_the_full_method_in_what_it_is_named_for(
    variant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    full, other = recipe("full", capsys), recipe(variant, capsys)
    found = {name: value for name, value in other.items() if full.get(name) != value}
    assert found == CHANGED[variant]
    assert (other["training.steps"], other["data.augmentation.size"], other["discriminator.layers"]) == (7, 32, 4)


def test_a_line_of_the_table_has_its_columns_in_order() -> None:
    values = {name: number / 10 for number, name in enumerate(stargan_ablation.COLUMNS)}
    assert stargan_ablation.row("full", values) == "| full | 0.000 | 0.100 | 0.200 | 0.300 | 0.400 | 0.500 |"
