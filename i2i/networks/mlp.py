"""Multilayer perceptron from noise to a picture: the generator of the first GAN.

Goodfellow et al. 2014, arXiv 1406.2661, section 5; initial weights as in Metz et al. 2017, arXiv 1611.02163.
"""

from __future__ import annotations

import itertools
from typing import Literal

from torch import Tensor, nn

from i2i.networks.layers.activations import Activation, activation
from i2i.networks.layers.beside import beside
from i2i.networks.layers.initialisation import orthogonal_

Output = Literal["tanh", "linear"]


class MLP(nn.Module):
    """`layers` hidden layers of `channels` units. Input (N, in_channels) noise; output (N, out_channels, size, size).

    A picture of size 1 is a point of `out_channels` coordinates. `output: linear` does not squash: for data that are
    not pictures in -1..1.
    """

    def __init__(
        self,
        *,
        in_channels: int = 100,
        out_channels: int = 1,
        size: int = 8,
        channels: int = 128,
        layers: int = 2,
        hidden: Activation = "relu",
        output: Output = "tanh",
        gain: float = 0.8,
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"MLP has at least one hidden layer, got {layers}")
        self.latent_channels = in_channels
        self.multiple = self.minimum = self.size = size
        widths = [in_channels, *[channels] * layers]
        parts: list[nn.Module] = []
        for narrow, wide in itertools.pairwise(widths):
            parts += [nn.Linear(narrow, wide), activation(hidden)]
        self.hidden = nn.Sequential(*parts)
        self.last = nn.Linear(channels, out_channels * size * size)
        self.output = nn.Tanh() if output == "tanh" else nn.Identity()
        orthogonal_(self, gain=gain)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures (N, out_channels, size, size) of noise, whose numbers with the condition's are `in_channels`."""
        given = beside(latent, condition, self.latent_channels)
        picture: Tensor = self.output(self.last(self.hidden(given)))
        return picture.view(picture.shape[0], -1, self.size, self.size)
