"""Two sets of pictures without pairs, and the data set that draws one picture of each for every training sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from i2i.data.augment import Augmentation
from i2i.data.images import ImageFolder
from i2i.data.sampler import Draw, order, second_seed
from i2i.images.card import Pixels


class UnpairedBatch(NamedTuple):
    """`source` (N, source planes, H, W) and `target` (N, target planes, H, W), float32 in the card's value range. That
    two of them stand at one place means nothing.
    """

    source: Tensor
    target: Tensor


class UnpairedFolder:
    """Training samples of two lists of picture files: one of each side, cut and flipped independently.

    An epoch is one of the larger side. The other side goes through its pictures again and again in an order of its own,
    so that every one of them comes equally often. What a draw gives depends on (seed, draw.position, draw.index) alone.
    Decoded pictures of both sides are kept within `cache_bytes` together. Raises `I2IError` as `ImageFolder`.
    """

    def __init__(
        self,
        sources: Sequence[Path],
        targets: Sequence[Path],
        *,
        source_pixels: Pixels,
        target_pixels: Pixels,
        value_range: tuple[float, float],
        augmentation: Augmentation,
        seed: int,
        cache_bytes: int = 2 << 30,
    ) -> None:
        other = second_seed(seed)
        self.source = ImageFolder(
            sources,
            pixels=source_pixels,
            value_range=value_range,
            augmentation=augmentation,
            seed=seed,
            cache_bytes=cache_bytes,
        )
        self.target = ImageFolder(
            targets,
            pixels=target_pixels,
            value_range=value_range,
            augmentation=augmentation,
            seed=other,
            cache_bytes=0,
        )
        self.target.share_cache(self.source)
        self.cache = self.source.cache
        self._seed = other  # of the order of the side that is not larger
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def __len__(self) -> int:
        return max(len(self.source), len(self.target))

    def __getitem__(self, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
        """One sample: new uint8 arrays (H, W, C) of the augmentation's size, a picture of each side."""
        numbers = self.indices(draw)
        (source,), (target,) = (
            folder[Draw(index, draw.position)]
            for folder, index in zip((self.source, self.target), numbers, strict=True)
        )
        return source, target

    def indices(self, draw: Draw) -> tuple[int, int]:
        """Which index of the source's and of the target's epoch a draw stands for."""
        sizes = len(self.source), len(self.target)
        epoch, place = divmod(draw.position, min(sizes))
        if epoch != self._epoch:  # kept only because making it takes time
            self._epoch, self._order = epoch, order(self._seed, epoch, min(sizes))
        other = int(self._order[place])
        return (other, draw.index) if sizes[0] < sizes[1] else (draw.index, other)

    def spread(self, count: int, *, position: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """At most `count` fixed samples, as many as the smaller side has, evenly spread over both."""
        count = min(count, len(self.source), len(self.target))
        sides = (folder.spread(count, position=position) for folder in (self.source, self.target))
        return [(source, target) for (source,), (target,) in zip(*sides, strict=True)]

    def preload(self) -> None:
        """Fill the cache with what workers are to share."""
        self.source.preload()
        self.target.preload()

    def scale(self, source: Tensor, target: Tensor) -> UnpairedBatch:
        """The batch of two uint8 tensors (N, H, W, C)."""
        return UnpairedBatch(self.source.scale(source).image, self.target.scale(target).image)
