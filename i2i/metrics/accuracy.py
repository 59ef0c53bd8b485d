"""Pixel accuracy of label maps."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.metrics.metric import check, colour_classes, mean, named


class Accuracy:
    """Mean over the pictures of the share of pixels that have the right class.

    The pictures are painted with the colours of `palette`, one per class. `update` raises `I2IError` (E_PALETTE) for
    any other colour.
    """

    name: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool | None] = True
    for_labels: ClassVar[bool] = True

    def __init__(self, *, palette: tuple[tuple[int, int, int], ...]) -> None:
        self._palette = palette
        self._values: list[float | None] = []

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,3."""
        check(output, target)
        right = colour_classes(output, self._palette) == colour_classes(target, self._palette)
        self._values += right.double().mean((1, 2)).tolist()

    def compute(self) -> dict[str, float]:
        """`{"accuracy": 0..1}`."""
        return named(self.name, mean(self._values))

    def per_image(self) -> list[float | None]:
        """0..1 for each picture."""
        return list(self._values)
