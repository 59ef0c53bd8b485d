"""Decoded pictures kept in memory, up to a number of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

Pictures = TypeVar("Pictures", bound=tuple[np.ndarray, ...])


class PictureCache(Generic[Pictures]):
    """Keeps what fits and never throws out: in a random order over the whole set, any other rule hits less often.

    A forked worker shares what was kept before the fork; what it adds later is its own.
    """

    def __init__(self, limit: int) -> None:
        self.free = limit
        self._kept: dict[int, Pictures] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: int, make: Callable[[], Pictures]) -> Pictures:
        """The pictures of `key`, made if they are not here. They belong to the cache: not to be written to."""
        if key in self._kept:
            return self._kept[key]
        pictures = make()
        size = sum(picture.nbytes for picture in pictures)
        if size <= self.free:
            self.free -= size
            self._kept[key] = pictures
        return pictures

    def share(self, workers: int) -> None:
        """Leave this process one of `workers` equal parts of the memory that is still free."""
        self.free //= workers
