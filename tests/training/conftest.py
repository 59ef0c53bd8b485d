"""A tiny folder of pairs and the recipe of a tiny training on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2i.errors import Exit
from i2i.recipes.merging import merge
from i2i.recipes.presets import preset
from i2i.recipes.recipe import validate
from i2i.recipes.run import train

TINY: dict[str, Any] = {
    "generator": {"channels": 4, "depth": 3},
    "discriminator": {"channels": 4, "layers": 1},
    "data": {"augmentation": {"size": 16, "mode": "crop"}},
    "training": {
        "steps": 4,
        "batch_size": 2,
        "threads": 1,
        "precision": "fp32",
        "checkpoint_every": 1,
        "keep_checkpoints": 20,
        "sample_every": 0,
        "evaluate_every": 0,
        "log_every": 1,
        "monitored_pictures": 2,
        "tensorboard": False,
    },
}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Six training and three validation pairs of 20x24 px; the target is the source's negative."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 3)):
        for index in range(count):
            source = rng.integers(0, 256, (20, 24, 3), np.uint8)
            for side, pixels in (("A", source), ("B", 255 - source)):
                path = tmp_path / "pairs" / split / side / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
    return tmp_path / "pairs"


def recipe(root: Path, *changes: dict[str, Any]) -> Any:
    """The tiny recipe with changes laid over it."""
    values = merge(preset("pix2pix"), TINY)
    for change in changes:
        values = merge(values, change)
    # A change of the data's type drops the preset's options: what every dataset has is laid under what is left.
    values["data"] = merge({"root": str(root), "augmentation": TINY["data"]["augmentation"]}, values["data"])
    return validate(values)


Train = Callable[..., Exit]


@pytest.fixture
def run_tiny(pairs: Path, tmp_path: Path) -> Train:
    """Trains the tiny recipe in tmp_path/NAME."""

    def tiny(name: str, *changes: dict[str, Any], resume: bool = False, init: Path | None = None) -> Exit:
        return train(recipe(pairs, *changes), tmp_path / name, resume=resume, init=init, say=lambda line: None)

    return tiny
