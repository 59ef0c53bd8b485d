"""The ResNet generator: parameter counts, what the border sees, and the smallest picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from i2i.errors import I2IError
from i2i.networks.resnet import ResNet


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize(
    ("given", "parameters"),
    [({}, 11_378_179), ({"blocks": 6}, 7_837_699), ({"blocks": 6, "channels": 32}, 1_965_059)],
    ids=["9 blocks", "6 blocks", "6 narrow blocks"],
)
def test_the_papers_networks_have_the_known_number_of_parameters(
    given: dict[str, Any], parameters: int, upsampling: Any
) -> None:
    with torch.device("meta"):
        network = ResNet(**given, upsampling=upsampling)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def flat(**settings: Any) -> ResNet:
    """A network without normalisation whose weights are all alike: what it paints is decided by geometry alone."""
    network = ResNet(channels=2, blocks=2, norm="none", **settings).eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)
    return network


def test_reflection_leaves_no_border_in_what_no_halving_or_doubling_touches() -> None:
    network = flat()
    even = torch.ones(1, 8, 6, 6)
    with torch.no_grad():
        inside = network.blocks(even)
        ends = network.encoder[0](torch.ones(1, 3, 8, 8))
    assert float(inside.std()) < 1e-6
    assert float(ends.std()) < 1e-6


def test_a_block_adds_to_its_input() -> None:
    network = ResNet(channels=2, blocks=2)
    for parameter in network.blocks.parameters():
        nn.init.zeros_(parameter)
    planes = torch.randn(1, 8, 4, 4)
    assert torch.equal(network.blocks(planes), planes)


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_one_picture_of_the_smallest_size_can_be_trained_on(norm: Any) -> None:
    network = ResNet(channels=2, blocks=1, norm=norm)
    given = torch.randn(1, 3, 8, 8)
    assert network(given).shape == given.shape
    network(given).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_biases_stand_only_beside_instance_norm_and_in_the_last_layer() -> None:
    layers = (nn.Conv2d, nn.ConvTranspose2d)
    batch, instance = ResNet(channels=2, blocks=1, norm="batch"), ResNet(channels=2, blocks=1)
    biased = [name for name, m in batch.named_modules() if isinstance(m, layers) and m.bias is not None]
    assert biased == ["decoder.2"]
    assert all(m.bias is not None for m in instance.modules() if isinstance(m, layers))


@pytest.mark.parametrize(("height", "width"), [(4, 8), (8, 10), (9, 20)])
def test_a_size_that_does_not_fit_names_the_next_that_does(height: int, width: int) -> None:
    with pytest.raises(I2IError, match="multiples of 4, at least 8; got") as caught:
        ResNet(channels=2, blocks=1)(torch.zeros(1, 3, height, width))
    assert caught.value.code == "E_SIZE"


def test_no_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one block, got 0"):
        ResNet(blocks=0)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_a_resize_convolution_cannot_paint_a_checkerboard_from_a_flat_picture(upsampling: Any) -> None:
    torch.manual_seed(1)
    network = ResNet(channels=4, blocks=1, upsampling=upsampling, norm="none").eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.05)
    with torch.no_grad():
        inner = network(torch.full((1, 3, 64, 64), 0.5))[0, :, 24:40, 24:40]
    even = bool((inner - inner.mean((1, 2), keepdim=True)).abs().max() < 1e-6)
    assert even == (upsampling == "resize")


def test_a_picture_of_one_colour_stays_one_colour_however_large_the_weights() -> None:
    torch.manual_seed(0)
    network = ResNet(channels=4, blocks=3).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    with torch.no_grad():
        output = network(torch.tensor([0.3, -0.7, 0.1]).view(1, 3, 1, 1).expand(1, 3, 20, 24))
    expected = torch.tanh(network.decoder[-1].bias.detach()).view(1, 3, 1, 1).expand_as(output)
    assert torch.equal(output, expected)


def test_what_is_taken_off_in_evaluation_is_what_the_norm_takes_off_anyway() -> None:
    torch.manual_seed(0)
    network = ResNet(channels=4, blocks=2)
    given = torch.randn(2, 3, 16, 12)
    with torch.no_grad():
        assert torch.allclose(network.train()(given), network.eval()(given), atol=1e-5)
