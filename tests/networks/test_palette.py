"""The palette of a U-Net."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from i2i.networks.layers.palette import Palette
from i2i.networks.unet import UNet

COLOURS = 3


def unet(*, masked: bool = False) -> tuple[UNet, nn.Module]:
    """A network with a palette, and its last layer."""
    network = UNet(channels=2, depth=2, norm="none", palette_colours=COLOURS, masked=masked).eval()
    return network, network.decoder[-1]


def test_a_pixel_is_the_mean_of_the_colours_by_the_softmax_of_its_choice() -> None:
    palette = Palette(2, in_channels=1, out_channels=3)
    with torch.no_grad():
        palette.read.weight.zero_()
        # Plane by plane, the two colours in each: (0.8, 0, -0.4) and (-0.8, 0.6, 0.4).
        palette.read.bias.copy_(torch.atanh(torch.tensor([0.8, -0.8, 0.0, 0.6, -0.4, 0.4])))
        choice = torch.log(torch.tensor([0.75, 0.25])).view(1, 2, 1, 1).expand(1, 2, 4, 5)
        picture = palette(choice, torch.randn(1, 1))
    expected = torch.tensor([0.4, 0.15, -0.2]).view(1, 3, 1, 1).expand(1, 3, 4, 5)
    torch.testing.assert_close(picture, expected)


def test_colours_start_apart() -> None:
    torch.manual_seed(0)
    colours = torch.tanh(Palette(8, in_channels=4, out_channels=3).read(torch.zeros(1, 4))).view(3, 8).T
    distances = torch.cdist(colours, colours)[~torch.eye(8, dtype=torch.bool)]
    assert distances.min() > 0.05


@pytest.mark.parametrize("masked", [False, True])
def test_sure_choices_are_flat_and_a_mask_still_keeps_the_picture(masked: bool) -> None:
    torch.manual_seed(0)
    network, last = unet(masked=masked)
    picture = torch.rand(2, 3, 8, 8) * 2 - 1
    halves = torch.zeros(2, COLOURS + masked, 8, 8)  # the mask's level is 0: half of each
    halves[:, 0, :, :4] = halves[:, 2, :, 4:] = 100
    last.register_forward_hook(lambda *_: halves)
    with torch.no_grad():
        made = network(picture)
    drawn = 2 * made - picture if masked else made
    for half in (drawn[..., :4], drawn[..., 4:]):
        torch.testing.assert_close(half, half[:, :, :1, :1].expand_as(half))
    assert (drawn[..., 0] - drawn[..., -1]).abs().max() > 0.05


def test_every_parameter_receives_a_gradient_through_the_mask() -> None:
    torch.manual_seed(0)
    network, _ = unet(masked=True)
    network.train()(torch.randn(4, 3, 8, 8)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_colours_follow_from_the_picture() -> None:
    torch.manual_seed(0)
    network, last = unet()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    last.register_forward_hook(lambda *_: torch.tensor([100.0, 0, 0]).view(1, 3, 1, 1).expand(2, 3, 8, 8))
    with torch.no_grad():
        first, second = network(torch.randn(2, 3, 8, 8))
    assert (first - second).abs().max() > 0.05
