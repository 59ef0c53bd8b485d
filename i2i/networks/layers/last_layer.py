"""The last layer of a critic, and others of its shape: what heads beside the score are made of."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

LastLayer = nn.Conv2d | nn.Linear


def last_layer(critic: nn.Module) -> LastLayer:
    """The layer that gives a critic's score. Raises ValueError for a critic without one."""
    last = getattr(critic, "score", None)
    if not isinstance(last, nn.Conv2d | nn.Linear):
        raise ValueError(f"wants a critic that ends in a convolution or a linear layer `score`, got {last!r}")
    return last


def shaped_like(layer: LastLayer, outputs: int) -> LastLayer:
    """A new layer with the inputs, kernel and stride of another one and `outputs` outputs.

    Its weights are normal with the spread (root mean square) of the other's; the bias, if there is one, is zero.
    """
    old = layer.weight.detach()
    new = copy.deepcopy(layer)
    weight = torch.randn(outputs, *old.shape[1:], dtype=old.dtype, device=old.device)
    new.weight = nn.Parameter(weight * old.square().mean().sqrt())
    if layer.bias is not None:
        new.bias = nn.Parameter(torch.zeros(outputs, dtype=old.dtype, device=old.device))
    if isinstance(new, nn.Conv2d):
        new.out_channels = outputs
    else:
        new.out_features = outputs
    return new


def positions_mean(planes: Tensor) -> Tensor:
    """(N, C, h, w) to (N, C): the mean over the positions; (N, C) as it is."""
    return planes.flatten(2).mean(2) if planes.ndim == 4 else planes
