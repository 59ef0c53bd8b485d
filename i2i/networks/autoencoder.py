"""Autoencoder critic: a picture's score is minus the error with which the network rebuilds it.

Berthelot et al. 2017, "BEGAN: Boundary Equilibrium Generative Adversarial Networks", arXiv 1703.10717, section 3.1
(the error, with eta = 1) and the section on the model's architecture: 3x3 convolutions and ELU, channels that grow by
the same number at every halving, nearest-neighbour enlargement, no normalisation.

Deviations: fully convolutional, so that any size fits: 1x1 convolutions lead to and from `code` features at every place
of the smallest plane, where the paper has one fully connected layer each to and from a single vector of them. Of the
two convolutions at a resolution one halves or follows the enlargement. The initial weights are torch's; the paper's
optional vanishing residuals and skips are left out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.sizes import check_size
from i2i.networks.layers.upsampling import double


class Autoencoder(nn.Module):
    """`depth` halvings to `code` features and as many doublings; `channels` are added at each halving.

    Input (N, in_channels, H, W), H and W multiples of 2**depth (other sizes raise `I2IError`, E_SIZE); `score` (N, 1),
    at most 0: -mean |v - D(v)| over all planes v, the condition's included. `features` are the encoder's activations,
    first resolution first. It judges pictures one by one and as a whole: there are no patches and no last layer that
    scores. With 6 input channels and the defaults: 3,831,046 parameters.
    """

    # What an objective that needs an autoencoder asks for.
    autoencoder: ClassVar[bool] = True

    def __init__(self, *, in_channels: int = 6, channels: int = 64, depth: int = 4, code: int = 64) -> None:
        super().__init__()
        if depth < 1 or code < 1:
            raise ValueError(f"an autoencoder has a depth and a code of at least 1, got depth {depth}, code {code}")
        self.multiple = self.minimum = 2**depth
        widths = [in_channels, *(channels * (level + 1) for level in range(depth + 1))]
        self.encoder = nn.ModuleList(
            _encode(before, width, stride=2 if level else 1) for level, (before, width) in enumerate(pairwise(widths))
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(widths[-1], code, 1),
            nn.Conv2d(code, channels, 1),
            *(_decode(channels) for _ in range(depth)),
            nn.Conv2d(channels, in_channels, 3, padding=1),
        )

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score (N, in_channels, H, W)."""
        check_size(planes, multiple=self.multiple, minimum=self.minimum, network="Autoencoder")
        features: list[Tensor] = []
        for level in self.encoder:
            features.append(level(features[-1] if features else planes))
        rebuilt = self.decoder(features[-1])
        # Half precision would leave three digits of the error.
        wide = torch.promote_types(planes.dtype, torch.float32)
        error = (planes.to(wide) - rebuilt.to(wide)).abs().mean((1, 2, 3))
        return CriticOutput(-error[:, None], tuple(features))


def _encode(in_channels: int, out_channels: int, *, stride: int) -> nn.Sequential:
    first = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1)
    return nn.Sequential(first, nn.ELU(), nn.Conv2d(out_channels, out_channels, 3, padding=1), nn.ELU())


def _decode(channels: int) -> nn.Sequential:
    first = nn.Conv2d(channels, channels, 3, padding=1)
    return nn.Sequential(first, nn.ELU(), double("resize", channels, channels, bias=True), nn.ELU())
