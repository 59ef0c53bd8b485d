"""Which layers of a critic may get their weights by a formula, such as spectral or weight normalisation."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.parametrize import is_parametrized


def plain_layers(network: nn.Module, *, formula: str) -> list[_ConvNd | nn.Linear]:
    """Every convolution and every linear layer.

    Raises ValueError, naming the new `formula`, when a layer's weights follow from one already.
    """
    layers = [module for module in network.modules() if isinstance(module, _ConvNd | nn.Linear)]
    if any(is_parametrized(layer, "weight") for layer in layers):
        raise ValueError(f"{formula} stands beside another normalisation of the critic's weights; list one of the two")
    return layers
