"""The attention mask of the generators that may have one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.networks.stargan import StarGAN
from i2i.networks.unet import UNet


def stargan(**options: Any) -> tuple[nn.Module, nn.Module, tuple[Tensor, ...]]:
    network = StarGAN(channels=2, blocks=1, condition_channels=2, masked=True, **options)
    return network, network.last, (torch.tensor([0, 1]),)


def unet(**options: Any) -> tuple[nn.Module, nn.Module, tuple[Tensor, ...]]:
    network = UNet(channels=2, depth=2, masked=True, **options)
    return network, network.decoder[-1], ()


generators = pytest.mark.parametrize("build", [stargan, unet])


@generators
def test_a_mask_keeps_the_picture_where_it_says_so_and_shows_what_is_drawn_elsewhere(build: Callable[..., Any]) -> None:
    network, last, told = build()
    network.eval()
    picture = torch.rand(2, 3, 8, 8) * 2 - 1
    for level, keep in ((0.0, 0.5), (100.0, 1.0), (-100.0, 0.0)):
        planes = torch.tensor([0.5, 0.5, 0.5, level])[:, None, None].expand(4, 8, 8)
        hook = last.register_forward_hook(lambda _, __, made, planes=planes: planes.expand_as(made))
        with torch.no_grad():
            expected = keep * picture + (1 - keep) * torch.tanh(torch.tensor(0.5))
            torch.testing.assert_close(network(picture, *told), expected)
        hook.remove()


@generators
def test_a_mask_needs_as_many_planes_out_as_in(build: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="masked keeps parts of the picture: 3 planes in, 1 out; both alike"):
        build(out_channels=1)
