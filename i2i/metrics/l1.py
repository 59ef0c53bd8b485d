"""Mean absolute difference."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.metrics.metric import check, mean, named


class L1:
    """Mean over the pictures of the mean absolute difference, on a scale where 1 is black against white."""

    name: ClassVar[str] = "l1"
    higher_is_better: ClassVar[bool | None] = False
    for_labels: ClassVar[bool] = False

    def __init__(self) -> None:
        self._values: list[float | None] = []

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,C."""
        check(output, target)
        difference = (output.double() - target.double()).abs() / 255.0
        self._values += difference.flatten(1).mean(1).tolist()

    def compute(self) -> dict[str, float]:
        """`{"l1": 0..1}`."""
        return named(self.name, mean(self._values))

    def per_image(self) -> list[float | None]:
        """0..1 for each picture."""
        return list(self._values)
