"""Checkerboard artefacts: the power of the outputs at a period of two pixels, compared with that of the truths."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.metrics.ratio import ROUNDING, AmountRatio
from i2i.metrics.spectrum import power


class Checkerboard(AmountRatio):
    """Power of the luminance on the Nyquist lines (fx = 1/2 or fy = 1/2 cycle per pixel): outputs / truths.

    The last transposed convolution of stride 2 leaves its pattern there. Earlier ones leave theirs at 1/4, 1/8 ...
    cycle per pixel, where pictures have content of their own; those lines are not counted. A picture of odd width or
    height has no such line and loses its last column or row.
    """

    name: ClassVar[str] = "checkerboard"
    smallest: ClassVar[int] = 8

    def amount(self, grey: Tensor) -> Tensor:
        """Power on the two lines, in squared levels per pixel."""
        height, width = grey.shape[1] // 2 * 2, grey.shape[2] // 2 * 2
        spectrum = power(grey[:, :height, :width])
        return spectrum[:, _lines(height, width).to(grey.device)].sum(1)

    def floor(self, height: int, width: int) -> float:
        """The power that rounding to whole levels alone puts on the lines."""
        return ROUNDING * float(_lines(height // 2 * 2, width // 2 * 2).double().mean())


def _lines(height: int, width: int) -> Tensor:
    lines = torch.zeros(height, width, dtype=torch.bool)
    lines[height // 2, :] = True
    lines[:, width // 2] = True
    return lines
