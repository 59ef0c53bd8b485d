"""Multilayer perceptron that judges a picture as one vector: the discriminator of the first GAN.

Goodfellow et al. 2014, arXiv 1406.2661, section 5; initial weights as in Metz et al. 2017, arXiv 1611.02163.
"""

from __future__ import annotations

import itertools
from typing import Literal

from torch import Tensor, nn

from i2i.networks.layers.activations import Activation, activation
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.initialisation import orthogonal_
from i2i.networks.layers.sizes import check_exactly


class MLPCritic(nn.Module):
    """`layers` hidden layers of `channels` units. Input (N, in_channels, size, size); `score` (N, 1).

    `input_scale` multiplies what comes in, for data that do not lie in -1..1. Other sizes raise `I2IError` (E_SIZE).
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        size: int = 8,
        channels: int = 128,
        layers: int = 2,
        hidden: Activation = "leaky_relu",
        norm: Literal["none", "batch"] = "none",
        input_scale: float = 1.0,
        gain: float = 0.8,
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"MLPCritic has at least one hidden layer, got {layers}")
        self.multiple = self.minimum = self.size = size
        self.input_scale = input_scale
        widths = [in_channels * size * size, *[channels] * layers]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(narrow, wide),
                nn.BatchNorm1d(wide) if norm == "batch" else nn.Identity(),
                activation(hidden),
            )
            for narrow, wide in itertools.pairwise(widths)
        )
        self.score = nn.Linear(channels, 1)
        orthogonal_(self, gain=gain)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score pictures; `features` are the activations of every hidden layer."""
        check_exactly(planes, size=self.size, network="MLPCritic")
        hidden = planes.flatten(1) * self.input_scale
        features = []
        for block in self.blocks:
            hidden = block(hidden)
            features.append(hidden)
        return CriticOutput(self.score(hidden), tuple(features))
