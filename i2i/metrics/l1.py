"""Mean absolute difference."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.metrics.per_picture import PerPicture


class L1(PerPicture):
    """Mean over the pictures of the mean absolute difference, on a scale where 1 is black against white."""

    name: ClassVar[str] = "l1"
    higher_is_better: ClassVar[bool | None] = False

    def values(self, output: Tensor, target: Tensor) -> list[float | None]:
        """0..1 for each picture."""
        difference = (output.double() - target.double()).abs() / 255.0
        return list(difference.flatten(1).mean(1).tolist())
