"""PixelGAN discriminator: judges every pixel by itself, so it can only learn about colours.

Isola et al. 2017, arXiv 1611.07004, section 4.4 and appendix 6.1.2 (the 1x1 discriminator).
"""

from __future__ import annotations

from torch import Tensor, nn

from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.initialisation import gaussian_
from i2i.networks.layers.normalisation import Norm, needs_bias, normalisation


class PixelGAN(nn.Module):
    """Three 1x1 convolutions. Input (N, in_channels, H, W) of any size; `score` (N, 1, H, W)."""

    def __init__(self, *, in_channels: int = 6, channels: int = 64, norm: Norm = "batch") -> None:
        super().__init__()
        self.multiple = self.minimum = 1
        bias = needs_bias(norm)
        self.first = nn.Sequential(nn.Conv2d(in_channels, channels, 1), nn.LeakyReLU(0.2))
        self.second = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1, bias=bias), normalisation(norm, 2 * channels), nn.LeakyReLU(0.2)
        )
        self.score = nn.Conv2d(2 * channels, 1, 1, bias=bias)
        gaussian_(self)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score every pixel of (N, in_channels, H, W)."""
        first = self.first(planes)
        second = self.second(first)
        return CriticOutput(self.score(second), (first, second))
