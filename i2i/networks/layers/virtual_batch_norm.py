"""Virtual batch normalisation: each picture is normalised by a reference batch and by itself, never by its neighbours.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.4. The paper leaves open how
much the picture itself counts: here it is one more beside the R pictures of the reference, so 1 / (R + 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Moments(NamedTuple):
    """Mean and variance of each plane of a reference batch, (1, C, 1, ...), and the number of its pictures."""

    mean: Tensor
    variance: Tensor
    pictures: int


class VirtualBatchNorm(nn.Module):
    """Takes the place of a batch normalisation, whose scale and shift (C,) it goes on with, for planes (N, C, ...).

    What it normalises by is set by `reference_seen`; outside of such a block every picture is normalised by itself
    alone (R = 0). There are no running statistics: training and evaluation are alike. Computed in float32 at least.
    """

    def __init__(self, *, weight: nn.Parameter | None, bias: nn.Parameter | None, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = weight
        self.bias = bias
        self.eps = eps
        self.watching = False
        self.reference: Moments | None = None

    def forward(self, planes: Tensor) -> Tensor:
        """Normalise (N, C, ...)."""
        exact = planes.to(torch.promote_types(planes.dtype, torch.float32))
        exact = exact if planes.ndim > 2 else exact[:, :, None]
        mean, variance = self._statistics(exact)
        normalised = (exact - mean) * (variance + self.eps).rsqrt()
        if self.weight is not None:
            normalised = normalised * _beside(self.weight, exact)
        if self.bias is not None:
            normalised = normalised + _beside(self.bias, exact)
        return normalised.reshape(planes.shape).to(planes.dtype)

    def _statistics(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance that broadcast over the planes; those of the reference are kept while it passes."""
        places = tuple(range(2, planes.ndim))
        if self.watching:
            mean, variance = _moments(planes, (0, *places))
            self.reference = Moments(mean, variance, planes.shape[0])
            return mean, variance
        mean, variance = _moments(planes, places)
        if self.reference is None:
            return mean, variance
        own = 1 / (self.reference.pictures + 1)
        gap = self.reference.mean - mean
        mixed = (1 - own) * self.reference.variance + own * variance + own * (1 - own) * gap.square()
        return mean + (1 - own) * gap, mixed


def virtual(network: nn.Module) -> int:
    """Replace every batch normalisation in a network, in place; returns how many there were."""
    count = 0
    for owner in list(network.modules()):
        for name, layer in owner.named_children():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                setattr(owner, name, VirtualBatchNorm(weight=layer.weight, bias=layer.bias, eps=layer.eps))
                count += 1
    return count


@contextmanager
def reference_seen(network: nn.Module, reference: Tensor) -> Iterator[None]:
    """Inside the block the network normalises by the statistics of `reference`, which passes through it here.

    The reference passes anew for every block, because the weights change, and gradients flow through its statistics.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, VirtualBatchNorm)]
    try:
        for layer in layers:
            layer.watching = True
        network(reference)
        for layer in layers:
            layer.watching = False
        yield
    finally:
        for layer in layers:
            layer.watching, layer.reference = False, None


def _moments(planes: Tensor, places: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Mean and variance over `places`, kept as dimensions; `torch.var_mean` takes many times as long on CPU."""
    mean = planes.mean(places, keepdim=True)
    return mean, (planes - mean).square().mean(places, keepdim=True)


def _beside(numbers: Tensor, planes: Tensor) -> Tensor:
    """One number a plane, shaped to broadcast over (N, C, ...)."""
    return numbers.view(-1, *[1] * (planes.ndim - 2))
