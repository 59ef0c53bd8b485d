"""The textbook's side of the benches of training: the same networks, made of PyTorch's own layers."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from bench_step import stock

from i2i.networks.layers.conditional_norm import ConditionalInstanceNorm
from i2i.networks.layers.small_convolution import SmallConvolution
from i2i.networks.stargan import StarGAN, StarGANCritic


def results(network: nn.Module, *given: Tensor) -> list[Tensor]:
    """What a network in training makes of pictures, and the gradients of its weights."""
    made = network(*given)
    planes = made if isinstance(made, Tensor) else made.classes
    return [planes, *torch.autograd.grad(planes.square().sum(), [*network.parameters()], allow_unused=True)]


@pytest.mark.parametrize("kind", ["generator", "critic"])
def test_stock_layers_have_the_same_values_and_gradients(kind: str) -> None:
    torch.manual_seed(0)
    pictures = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    if kind == "generator":
        network: nn.Module = StarGAN(channels=4, blocks=1, condition_channels=2)
        given = [pictures, torch.tensor([0, 1, 1])]
    else:
        network = StarGANCritic(size=16, channels=4, layers=3, condition_channels=2)
        given = [pictures]
    network = network.double()
    plain = stock(copy.deepcopy(network))
    for got, wanted in zip(results(plain, *given), results(network, *given), strict=True):
        assert (got is None) == (wanted is None)
        if got is not None:
            torch.testing.assert_close(got, wanted, rtol=1e-8, atol=1e-9)
    assert any(type(layer) in (ConditionalInstanceNorm, SmallConvolution) for layer in network.modules())
    assert not any(type(layer) in (ConditionalInstanceNorm, SmallConvolution) for layer in plain.modules())
