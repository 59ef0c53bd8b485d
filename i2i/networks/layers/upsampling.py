"""Doubling the resolution: transposed or resize convolution."""

from __future__ import annotations

from typing import Literal

from torch import nn

Upsampling = Literal["transposed", "resize"]


def double(name: Upsampling, in_channels: int, out_channels: int, *, bias: bool) -> nn.Module:
    """Planes (N, in_channels, H, W) to (N, out_channels, 2H, 2W).

    `transposed`: the papers' 4x4 transposed convolution of stride 2. `resize`: nearest-neighbour enlargement and a
    3x3 convolution, which cannot paint a checkerboard of uneven overlap (Odena et al. 2016, "Deconvolution and
    checkerboard artifacts", distill.pub).
    """
    if name == "transposed":
        return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias),
    )
