"""Fine detail: the power of the outputs at high spatial frequencies, compared with that of the truths."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.metrics.ratio import ROUNDING, AmountRatio

LOW, HIGH = 0.25, 1.0


class Spectrum(AmountRatio):
    """Power of the luminance at radial frequencies of 0.25 to 1 of Nyquist: outputs / truths.

    For a 128-pixel picture that band is 16 to 64 cycles per picture. The power is summed over the ring-shaped band
    of the two-dimensional spectrum (not averaged ring by ring), so each cycle per pixel squared counts equally.
    """

    name: ClassVar[str] = "spectrum"
    smallest: ClassVar[int] = 8

    def amount(self, grey: Tensor) -> Tensor:
        """Power in the band, in squared levels per pixel."""
        radius = radial_frequency(*grey.shape[1:]).to(grey.device)
        return power(grey)[:, (radius >= LOW) & (radius <= HIGH)].sum(1)

    def floor(self, height: int, width: int) -> float:
        """The power that rounding to whole levels alone puts into the band."""
        radius = radial_frequency(height, width)
        return ROUNDING * float(((radius >= LOW) & (radius <= HIGH)).double().mean())


def power(grey: Tensor) -> Tensor:
    """float64 N,H,W -> the power N,H,W of each frequency, under a Hann window and without the mean.

    Scaled so that white noise of variance v has a total power of v.
    """
    height, width = grey.shape[1:]
    window = torch.outer(_hann(height), _hann(width)).to(grey.device)
    centred = grey - grey.mean((1, 2), keepdim=True)
    raw: Tensor = torch.fft.fft2(centred * window).abs().square()
    return raw / (height * width * window.square().sum())


def radial_frequency(height: int, width: int) -> Tensor:
    """The distance of each frequency of an H,W spectrum from zero, in units of Nyquist (half a cycle per pixel)."""
    y = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    x = torch.fft.fftfreq(width, dtype=torch.float64)[None, :]
    return 2 * torch.sqrt(x.square() + y.square())


def radial_power(grey: Tensor, *, bins: int = 64) -> Tensor:
    """float64 N,H,W -> N,bins: mean power per frequency in rings of equal width from zero to Nyquist, for curves.

    Ring i holds the radial frequencies from i / bins to (i + 1) / bins of Nyquist; a ring without any is 0.
    """
    ring = (radial_frequency(*grey.shape[1:]) * bins).to(torch.int64).flatten().to(grey.device)
    inside = ring < bins
    total = torch.zeros(len(grey), bins, dtype=grey.dtype, device=grey.device)
    total.index_add_(1, ring[inside], power(grey).flatten(1)[:, inside])
    return total / torch.bincount(ring[inside], minlength=bins).clamp(min=1)


def _hann(size: int) -> Tensor:
    return torch.hann_window(size, periodic=True, dtype=torch.float64)
