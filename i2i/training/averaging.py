"""Exponential moving average of a network's weights: the copy that is shown, measured and shipped."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """Averaged copy of a network: after update t, average = decay_t * average + (1 - decay_t) * network.

    decay_t = min(decay, (1 + t) / (10 + t)), so that early weights are forgotten quickly. Floating-point buffers
    (running statistics) are averaged alike, so that they belong to the averaged weights; other buffers are copied.
    Polyak and Juditsky 1992; for GANs Yazici et al. 2019, arXiv 1806.04498.
    """

    updates: Tensor

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"decay lies in 0 <= decay < 1, got {decay}")
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network's present weights."""
        count = int(self.updates)
        weight = 1 - min(self.decay, (1 + count) / (10 + count))
        ours, theirs = _tensors(self.network), _tensors(network)
        floating = [tensor.is_floating_point() for tensor in ours]
        averaged = [tensor for tensor, yes in zip(ours, floating, strict=True) if yes]
        current = [tensor.detach() for tensor, yes in zip(theirs, floating, strict=True) if yes]
        torch._foreach_lerp_(averaged, current, weight)
        for own, other, yes in zip(ours, theirs, floating, strict=True):
            if not yes:
                own.copy_(other)
        self.updates += 1


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
