"""What every folder of training samples shares: how long an epoch is, what stays in memory, what a draw depends on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from torch.utils.data import Dataset

from i2i.data.augment import Augmentation
from i2i.data.cache import PictureCache, Pictures
from i2i.data.sampler import Draw, rng
from i2i.errors import I2IError

Item = TypeVar("Item")


class SampleFolder(Dataset[Pictures], ABC, Generic[Item, Pictures]):
    """Training samples of a list of items, which have one picture or several: what a draw gives depends on
    (seed, draw.position, draw.index) alone.

    Its length is the number of indices in one epoch: one for each item, or more for large ones when
    `augmentation.weight_by_area` is on. Decoded (and resized) pictures are kept within `cache_bytes` of memory.
    Raises `I2IError` (E_NO_IMAGES for no items, the codec's codes for files that cannot be read).
    """

    def __init__(self, items: Sequence[Item], *, augmentation: Augmentation, seed: int, cache_bytes: int) -> None:
        if not items:
            raise I2IError("E_NO_IMAGES", "a data set needs at least one sample")
        self.items = list(items)
        self.seed = seed
        self.cache: PictureCache[Pictures] = PictureCache(cache_bytes)
        self._first_key = 0
        self._ends = np.cumsum(self._shares(augmentation))

    @abstractmethod
    def area(self, item: Item) -> int:
        """Pixels of one of an item's pictures, which are of one size."""

    @abstractmethod
    def whole(self, number: int) -> Pictures:
        """Item `number` as it is on the disk, uint8 (H, W, C), no augmentation."""

    @abstractmethod
    def prepare(self, pictures: Pictures) -> Pictures:
        """What of the augmentation is the same for every draw."""

    @abstractmethod
    def augment(self, pictures: Pictures, generator: np.random.Generator) -> Pictures:
        """One draw from prepared pictures."""

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, draw: Draw) -> Pictures:
        """One sample: new uint8 arrays (H, W, C) of the augmentation's size."""
        return self.augment(self._prepared(self.item_of(draw.index)), rng(self.seed, draw.position))

    def item_of(self, index: int) -> int:
        """The number of the item that a draw's index stands for."""
        return int(np.searchsorted(self._ends, index, side="right"))

    def spread(self, count: int, *, position: int) -> list[Pictures]:
        """`count` fixed samples, evenly spread over an epoch: the draws of `position` and those behind it."""
        return [self[Draw(index, position + number)] for number, index in enumerate(self.places(count))]

    def places(self, count: int) -> list[int]:
        """Of which draws' indices `spread` shows samples."""
        indices: list[int] = np.linspace(0, len(self) - 1, count).round().astype(int).tolist()
        return indices

    def share_cache(self, other: SampleFolder[Item, Pictures]) -> None:
        """Keep pictures in the memory of another folder, behind its own. To be called before any is kept."""
        self.cache, self._first_key = other.cache, len(other.items)

    def preload(self, *, seconds: float = 2.0) -> None:
        """Fill the cache for about `seconds`: what is there when workers fork is theirs without a copy."""
        end = time.monotonic() + seconds
        for number in range(len(self.items)):
            if self.cache.free <= 0 or time.monotonic() > end:
                return
            self._prepared(number)

    def _prepared(self, number: int) -> Pictures:
        return self.cache.get(self._first_key + number, lambda: self.prepare(self.whole(number)))

    def _shares(self, augmentation: Augmentation) -> list[int]:
        """How many indices each item gets: the number of crops that fit into its area, at least one."""
        if augmentation.mode != "crop" or not augmentation.weight_by_area:
            return [1] * len(self.items)
        height, width = augmentation.shape
        return [max(1, round(self.area(item) / (height * width))) for item in self.items]


def chosen_split(found: Sequence[str], wanted: str | None, *, root: Path) -> str | None:
    """The split that is looked at during training: `wanted`, else `val`, else `test`; None when there is only `train`.

    Raises `I2IError` (E_LAYOUT) when `wanted` is not there.
    """
    if wanted is not None and wanted not in found:
        message = f"there is no split '{wanted}' (data.validation_split); found: {', '.join(found)}"
        raise I2IError("E_LAYOUT", message, path=root)
    return wanted or next((split for split in ("val", "test") if split in found), None)
