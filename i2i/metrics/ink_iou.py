"""Overlap of ink: how far the dark places of two pictures of writing are the same."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.metrics.metric import luminance
from i2i.metrics.per_picture import PerPicture

INK = 128.0  # darker is ink


class InkIoU(PerPicture):
    """Mean over the pictures of the pixels that are ink in both, as a share of those that are ink in either.

    For dark writing on light paper. Two blank pictures have no value.
    """

    name: ClassVar[str] = "ink_iou"
    higher_is_better: ClassVar[bool | None] = True

    def values(self, output: Tensor, target: Tensor) -> list[float | None]:
        """0..1 for each picture, None for two blank ones."""
        one, two = (luminance(pixels).flatten(1) < INK for pixels in (output, target))
        both, either = (one & two).sum(1).tolist(), (one | two).sum(1).tolist()
        return [shared / whole if whole else None for shared, whole in zip(both, either, strict=True)]
