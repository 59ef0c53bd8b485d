"""The pictures that a run was trained on, as its model takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from i2i.data.sampler import PREVIEW_POSITION, Draw
from i2i.errors import I2IError
from i2i.loading import Direction
from i2i.recipes.build import Builder
from i2i.recipes.folder import RECIPE
from i2i.recipes.merging import read
from i2i.recipes.recipe import validate


def training_pictures(run: Path, *, count: int, direction: Direction = "a2b") -> list[np.ndarray]:
    """At most `count` sources of the split `train`, evenly chosen, cut as the training cuts them: uint8 (H, W, C).

    Raises `I2IError`: E_CKPT_INCOMPLETE for a folder without a recipe, and those of the data source where the data are
    no longer in their place.
    """
    if not (run / RECIPE).is_file():
        raise I2IError("E_CKPT_INCOMPLETE", f"holds no {RECIPE}, which says where the training pictures are", path=run)
    builder = Builder(validate(read(run / RECIPE)))
    samples = builder.data().training_set(value_range=builder.value_range, seed=builder.recipe.training.seed)
    samples.cache.free = 0  # each is looked at once
    side = 1 if direction == "b2a" else 0
    numbers = np.unique(np.linspace(0, len(samples) - 1, count).round().astype(int)).tolist()
    return [samples[Draw(number, PREVIEW_POSITION + number)][side] for number in numbers]
