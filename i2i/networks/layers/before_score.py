"""Planes appended to what a critic's last layer sees: the surgery that statistics of the batch share.

The last layer is the child `score` of the critic, or of each of its parts when it has several: a convolution or a
linear layer, or an `nn.Sequential` that ends in one once planes have been appended.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

LastLayer = nn.Conv2d | nn.Linear


class Appended(nn.Module):
    """Puts what `statistics` says of features, one number a picture and plane, behind the features.

    Features (N, A, h, w) become (N, A + B, h, w), each number filling its plane; (N, A) become (N, A + B).
    """

    def __init__(self, statistics: nn.Module) -> None:
        super().__init__()
        self.statistics = statistics

    def forward(self, features: Tensor) -> Tensor:
        """`statistics` maps features of either shape to (N, B)."""
        numbers = self.statistics(features).to(features.dtype)
        numbers = numbers.reshape(*numbers.shape, *[1] * (features.ndim - 2))
        return torch.cat((features, numbers.expand(-1, -1, *features.shape[2:])), 1)


def has_score(network: nn.Module) -> bool:
    """Whether there is a last layer to put planes before."""
    return bool(_last_layers(network))


def append_before_score(network: nn.Module, make: Callable[[int], nn.Module], *, planes: int) -> None:
    """Append the `planes` numbers of `make(features)`, a module, to what every last layer sees, in place.

    Planes that were appended before count as features. Raises ValueError for a last layer that cannot be widened.
    """
    for owner, before, last in _last_layers(network):
        owner.score = nn.Sequential(*before, Appended(make(last.weight.shape[1])), widened(last, planes))


def widened(layer: LastLayer, extra: int) -> LastLayer:
    """A copy of a layer with `extra` more inputs behind its own; the weights of its own inputs stay what they are.

    The new weights are normal with the spread (root mean square) of the old ones. Raises ValueError for a weight that
    is computed from others, as spectral normalisation does it: the new columns would not be part of the rule.
    """
    if "weight" not in dict(layer.named_parameters(recurse=False)):
        raise ValueError(
            "planes cannot be appended before a last layer whose weight is reparametrised; list the stabilisers that "
            "append planes before those that reparametrise weights"
        )
    old = layer.weight.detach()
    new = torch.randn(old.shape[0], extra, *old.shape[2:], dtype=old.dtype, device=old.device)
    wide = copy.deepcopy(layer)
    wide.weight = nn.Parameter(torch.cat((old, new * old.square().mean().sqrt()), 1))
    if isinstance(wide, nn.Conv2d):
        wide.in_channels += extra
    else:
        wide.in_features += extra
    return wide


def _last_layers(network: nn.Module) -> list[tuple[nn.Module, list[nn.Module], LastLayer]]:
    """The owners of a `score`, what stands in it before the last layer, and the last layer."""
    found = []
    for owner in network.modules():
        score = dict(owner.named_children()).get("score")
        layers = list(score) if isinstance(score, nn.Sequential) else [score]
        if layers and isinstance(layers[-1], nn.Conv2d | nn.Linear):
            found.append((owner, [layer for layer in layers[:-1] if layer is not None], layers[-1]))
    return found
