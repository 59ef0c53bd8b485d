"""Sharpness: how much gradient the outputs have, compared with the truths."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.metrics.ratio import AmountRatio


class Gradient(AmountRatio):
    """Mean gradient magnitude of the outputs / that of the truths; under 1 is blurred, over 1 is noisy.

    The gradient is taken by central differences of the luminance, (L[x+1] - L[x-1]) / 2 and the same for y, at the
    pixels that have all four neighbours. Each picture counts equally, whatever its size.
    """

    name: ClassVar[str] = "gradient"
    smallest: ClassVar[int] = 3

    def amount(self, grey: Tensor) -> Tensor:
        """Mean gradient magnitude in levels per pixel."""
        x = (grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]) / 2
        y = (grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]) / 2
        return (x.square() + y.square()).sqrt().mean((1, 2))

    def floor(self, height: int, width: int) -> float:
        """A hundredth of a level per pixel."""
        return 0.01
