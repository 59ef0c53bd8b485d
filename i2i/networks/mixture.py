"""Several generators from noise as one: a further number of the noise decides which of them makes the picture.

The model of AdaGAN: Tolstikhin et al. 2017, "AdaGAN: Boosting Generative Models", arXiv 1701.02386, equation 1, with
equal shares. The number stands in the noise, not in a generator of random numbers, so that a mixture is sampled like
any other generator, and its graph has standard operations alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from i2i.networks import NETWORKS
from i2i.networks.layers.beside import more_latent


class Components(nn.Module):
    """Generators of one kind, of which the first `playing` make equal shares of the pictures.

    Noise (N, latent_channels) to what the components give. With z the first number and Phi the normal distribution,
    component floor(playing * Phi(z)) makes the picture, from the other numbers.
    """

    playing: Tensor

    def __init__(self, components: Sequence[nn.Module]) -> None:
        super().__init__()
        if not components or not all(hasattr(component, "latent_channels") for component in components):
            raise ValueError("a mixture is made of one or more generators from noise")
        first: Any = components[0]
        self.multiple = self.minimum = self.size = first.size
        self.more_latent = 1 + more_latent(first)
        self.latent_channels = 1 + first.latent_channels
        self.components = nn.ModuleList(components)
        self.register_buffer("playing", torch.tensor(len(components)))

    def choice(self, latent: Tensor) -> Tensor:
        """Which component makes each picture: int64 (N,)."""
        share = 0.5 * (1.0 + torch.erf(latent[:, 0] / math.sqrt(2.0)))
        return torch.minimum((share * self.playing).long(), self.playing - 1)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures of noise, whose numbers with the condition's are `latent_channels`."""
        chosen = self.choice(latent)[:, None, None, None]
        first, *others = (component(latent[:, 1:], condition) for component in self.components)
        picture: Tensor = first
        for index, other in enumerate(others, 1):
            picture = torch.where(chosen == index, other, picture)
        return picture


class Mixture(Components):
    """`components` generators (N, latent_channels) to (N, out_channels, size, size), each a network of the table.

    `component` names it and its options: `{type: dcgan, size: 32}`. `in_channels` counts the numbers that a component
    is told of.
    """

    def __init__(
        self, *, component: dict[str, Any], in_channels: int = 100, out_channels: int = 3, components: int = 5
    ) -> None:
        options = {name: value for name, value in component.items() if name != "type"}
        try:
            network = NETWORKS[component.get("type", "")]
            made = [network(**options, in_channels=in_channels, out_channels=out_channels) for _ in range(components)]
        except TypeError as error:
            raise ValueError(f"component {component}: {error}") from None
        super().__init__(made)
