"""Metrics that are the mean of a value of each picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from i2i.metrics.metric import check, mean, named


class PerPicture(ABC):
    """A metric made from `values`; pictures that have none are left out of the mean."""

    name: ClassVar[str]
    for_labels: ClassVar[bool] = False

    def __init__(self) -> None:
        self._values: list[float | None] = []

    @abstractmethod
    def values(self, output: Tensor, target: Tensor) -> list[float | None]:
        """The value of each picture of two uint8 N,H,W,C batches, None where it is undefined."""

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,C."""
        check(output, target)
        self._values += self.values(output, target)

    def compute(self) -> dict[str, float]:
        """The mean by the metric's name; empty when no picture has a value."""
        return named(self.name, mean(self._values))

    def per_image(self) -> list[float | None]:
        """The value of each picture."""
        return list(self._values)
