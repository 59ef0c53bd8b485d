"""Doubling the resolution: transposed or resize convolution."""

from __future__ import annotations

from typing import Literal

from torch import nn

from i2i.networks.layers.small_convolution import SmallConvolution

Upsampling = Literal["transposed", "resize"]
Kernel = Literal[3, 4]


def double(name: Upsampling, in_channels: int, out_channels: int, *, bias: bool, kernel: Kernel = 4) -> nn.Module:
    """Planes (N, in_channels, H, W) to (N, out_channels, 2H, 2W).

    `transposed`: the papers' transposed convolution of stride 2, `kernel` pixels wide: 4 in the U-Net, 3 in the ResNet.
    `resize`: nearest-neighbour enlargement and a 3x3 convolution, which cannot paint a checkerboard of uneven overlap
    (Odena et al. 2016, "Deconvolution and checkerboard artifacts", distill.pub).
    """
    if name == "transposed":
        return nn.ConvTranspose2d(
            in_channels, out_channels, kernel, stride=2, padding=1, output_padding=4 - kernel, bias=bias
        )
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        SmallConvolution(in_channels, out_channels, 3, padding=1, bias=bias),
    )
