"""Batches of single pictures: what a generator from noise learns from."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ImageBatch(NamedTuple):
    """Pictures (N, C, H, W) in the card's range."""

    image: Tensor
