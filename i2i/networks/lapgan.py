"""A generator of one small network for each level of a Laplacian pyramid.

Denton et al. 2015, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks", arXiv 1506.05751,
equation 3: a picture of the coarsest level from noise, then at each finer one the picture so far, doubled, plus what a
network makes of that and a new plane of noise. The widths are the paper's for CIFAR-10 (section 4.1) and the kernels
those of the authors' later code: a coarsest level of two dense layers of 1200 rectifiers, refinements of three
convolutions, 7x7, 7x7 and 5x5, 128 wide. Where the coarsest picture is not as small as theirs of 8 pixels, dense layers
may give way to a DCGAN (Radford et al. 2016, arXiv 1511.06434).

Deviations: the coarsest level ends in tanh and what each level adds up to is clamped to -1..1, so that a picture is
one at every level; noise is normal, where theirs is uniform; outside of a picture the refinements see its border go on,
as halving does, since zeros are no background and leave a frame. Without `fine_noise` a short training is not spent on
learning to leave the noise out, which is what such generators do with it (Isola et al. 2017, arXiv 1611.07004, section
3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from i2i.networks.dcgan import DCGAN
from i2i.networks.layers.beside import beside
from i2i.networks.layers.pyramid import doubled

Coarse = Literal["dense", "convolutional"]


class LAPGAN(nn.Module):
    """Noise (N, latent_channels) to pictures (N, out_channels, size, size) in `levels` levels, each twice as large.

    `in_channels` counts the numbers of the coarsest level's noise (and of a condition, which it alone sees);
    `more_latent` further numbers, one for each pixel of every finer level, stand before them in the latent.
    `channels` is the width of the refinements, `kernel` that of their first two convolutions (the last one's is 2
    less). `coarse` is the kind of the coarsest level, `coarse_channels` the width of its dense layers, or of the last
    hidden layer of its DCGAN. Without `fine_noise` the finer levels have no noise (and `more_latent` is 0): what they
    add is then a function of the picture so far. With the defaults (8, 16 and 32 pixels) 3,468,518 parameters and 1380
    numbers of noise.
    """

    def __init__(
        self,
        *,
        in_channels: int = 100,
        out_channels: int = 3,
        size: int = 32,
        levels: int = 3,
        channels: int = 128,
        kernel: int = 7,
        fine_noise: bool = True,
        coarse: Coarse = "dense",
        coarse_channels: int = 1200,
    ) -> None:
        super().__init__()
        if levels < 1 or size < 2 ** (levels - 1) or size % 2 ** (levels - 1):
            raise ValueError(f"{levels} levels halve the size {levels - 1} times, which {size} pixels do not allow")
        if kernel < 3 or kernel % 2 == 0:
            raise ValueError(f"kernel is odd and 3 or more, got {kernel}")
        self.multiple = self.minimum = self.size = size
        self.sizes = [size >> level for level in reversed(range(levels))]
        self.fine_noise = fine_noise
        self.more_latent = sum(side * side for side in self.sizes[1:]) if fine_noise else 0
        self.latent_channels = in_channels + self.more_latent
        make = _dense if coarse == "dense" else _convolutional
        self.coarse = make(in_channels, out_channels, side=self.sizes[0], channels=coarse_channels)
        self.refinements = nn.ModuleList(
            Refinement(planes=out_channels, channels=channels, kernel=kernel, noise=fine_noise) for _ in self.sizes[1:]
        )

    def noise(self, latent: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Sequence[Tensor | None]]:
        """The latent's share of each level: numbers (N, in_channels), and a plane (N, 1, S, S) for each finer one, or
        nothing for it.
        """
        given = beside(latent, condition, self.latent_channels)
        if not self.fine_noise:
            return given, [None for _ in self.refinements]
        counts = [side * side for side in self.sizes[1:]]
        *planes, numbers = torch.split(given, [*counts, self.latent_channels - self.more_latent], dim=1)
        return numbers, [plane.reshape(-1, 1, side, side) for plane, side in zip(planes, self.sizes[1:], strict=True)]

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures of noise, whose numbers with the condition's are `latent_channels`."""
        numbers, planes = self.noise(latent, condition)
        picture: Tensor = self.coarse(numbers)
        for refinement, plane in zip(self.refinements, planes, strict=True):
            picture = refinement(doubled(picture), plane).clamp(-1.0, 1.0)
        return picture


class Refinement(nn.Module):
    """The low-pass picture (N, planes, S, S) with the detail that is made of it and, with `noise`, of a plane of noise
    (N, 1, S, S).
    """

    def __init__(self, *, planes: int, channels: int, kernel: int, noise: bool = True) -> None:
        super().__init__()
        widths, kernels = (planes + noise, channels, channels, planes), (kernel, kernel, kernel - 2)
        layers: list[nn.Module] = []
        for (narrow, wide), side in zip(pairwise(widths), kernels, strict=True):
            layers += [nn.Conv2d(narrow, wide, side, padding=side // 2, padding_mode="replicate"), nn.ReLU()]
        self.detail = nn.Sequential(*layers[:-1])

    def forward(self, low_pass: Tensor, noise: Tensor | None) -> Tensor:
        """The low-pass picture plus its coefficients."""
        detail: Tensor = self.detail(low_pass if noise is None else torch.cat((low_pass, noise), 1))
        return low_pass + detail


def _convolutional(in_channels: int, out_channels: int, *, side: int, channels: int) -> nn.Module:
    """A DCGAN, from numbers to a picture (N, out_channels, side, side). Raises ValueError for a side it cannot make."""
    return DCGAN(in_channels=in_channels, out_channels=out_channels, size=side, channels=channels)


def _dense(in_channels: int, out_channels: int, *, side: int, channels: int) -> nn.Module:
    """Two hidden dense layers, from numbers to a picture (N, out_channels, side, side)."""
    return nn.Sequential(
        nn.Linear(in_channels, channels),
        nn.ReLU(),
        nn.Linear(channels, channels),
        nn.ReLU(),
        nn.Linear(channels, out_channels * side * side),
        nn.Tanh(),
        nn.Unflatten(1, (out_channels, side, side)),
    )
