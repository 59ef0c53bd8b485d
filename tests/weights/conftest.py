"""A tiny real translator."""

from __future__ import annotations

import pytest
import torch

from i2i.images.card import ImageCard, NetworkSpec, Sizing
from i2i.networks.unet import UNet

ARGUMENTS = {"in_channels": 3, "out_channels": 3, "channels": 4, "depth": 2}


@pytest.fixture
def card() -> ImageCard:
    network = NetworkSpec(type="unet", arguments=ARGUMENTS)
    return ImageCard(name="tiny", sizing=Sizing(multiple=4, minimum=4), network=network, method="pix2pix", step=7)


@pytest.fixture
def generator() -> UNet:
    """Random weights large enough, and running statistics odd enough, that every layer shows in the output."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet(**ARGUMENTS)
        for name, parameter in network.named_parameters():
            if name.endswith("weight") and parameter.ndim == 4:
                torch.nn.init.normal_(parameter, std=0.2)
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.normal_(0.0, 0.2)
                part.running_var.uniform_(0.5, 2.0)
    return network
