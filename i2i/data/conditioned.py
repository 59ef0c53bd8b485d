"""Single pictures and what is known of each: what a generator from noise learns from that is told what to make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from i2i.data.images import ImageFolder
from i2i.data.sampler import Draw, Turns


class ConditionedBatch(NamedTuple):
    """Pictures (N, C, H, W) in the card's range, and what is known of them: int64 (N,), the number of a picture's
    domain, -1 where it is unknown; or float32 (N, K), its attributes.
    """

    image: Tensor
    condition: Tensor


class ConditionedFolder:
    """The samples of `pictures`, each with what is known of its picture.

    `conditions` has one row for each of the folder's items: int64 (items,) or float32 (items, K). `epoch`: the indices
    of `pictures` that make up an epoch, where they are not all of them once. `groups`: indices that take turns group by
    group, so that each group comes equally often (`Turns`); an epoch is then one of the largest.
    """

    def __init__(
        self,
        pictures: ImageFolder,
        conditions: np.ndarray,
        *,
        epoch: Sequence[int] | None = None,
        groups: Sequence[Sequence[int]] = (),
    ) -> None:
        self.pictures = pictures
        self.conditions = conditions
        self.cache = pictures.cache
        self._epoch = range(len(pictures)) if epoch is None else epoch
        self._groups = groups
        self._turns = Turns([len(group) for group in groups], seed=pictures.seed) if groups else None

    @property
    def unlabelled(self) -> int:
        """How many pictures there are whose domain is not known."""
        return int((self.conditions < 0).sum()) if self.conditions.ndim == 1 else 0

    def __len__(self) -> int:
        return len(self._groups) * max(map(len, self._groups)) if self._groups else len(self._epoch)

    def __getitem__(self, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
        """One sample: a new uint8 array (H, W, C), and its picture's row of the conditions."""
        index = self._index(draw)
        (picture,) = self.pictures[Draw(index, draw.position)]
        return picture, np.asarray(self.conditions[self.pictures.item_of(index)])

    def _index(self, draw: Draw) -> int:
        if self._turns is None:
            return self._epoch[draw.index]
        group, member = self._turns(draw.position)
        return self._groups[group][member]

    def preload(self) -> None:
        """Fill the cache with what workers are to share."""
        self.pictures.preload()

    def scale(self, image: Tensor, condition: Tensor) -> ConditionedBatch:
        """The batch of a uint8 tensor (N, H, W, C) and the stacked conditions."""
        return ConditionedBatch(self.pictures.scale(image).image, condition)
