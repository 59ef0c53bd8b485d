"""Tiny real translators and one exported file that the tests share: an export takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from i2i.export.onnx import export_onnx
from i2i.export.parity import ParityReport
from i2i.images.card import ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks.unet import UNet

RGB = Pixels()


@dataclass(frozen=True)
class Exported:
    """A generator, its card and the file made of both."""

    generator: nn.Module
    card: ImageCard
    path: Path
    report: ParityReport


def shaken(network: nn.Module) -> nn.Module:
    """Random weights, running statistics and biases large enough that every layer shows in the output."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.normal_(0.0, 0.5 if tensor.ndim < 2 else 2.0 / tensor[0].numel() ** 0.5, generator=generator)
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(0.0, 0.2, generator=generator)
                part.running_var.uniform_(0.5, 2.0, generator=generator)
    return network


def unet(
    *, source: Pixels = RGB, target: Pixels = RGB, sizing: Sizing | None = None, **more: object
) -> tuple[nn.Module, ImageCard]:
    arguments = {"in_channels": source.planes, "out_channels": target.planes, "channels": 4, "depth": 2, **more}
    card = ImageCard(
        name="tiny",
        source=source,
        target=target,
        sizing=sizing or Sizing(multiple=4, minimum=4),
        network=NetworkSpec(type="unet", arguments=arguments),
        method="pix2pix",
        licence="MIT",
    )
    return shaken(UNet(**arguments)), card


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> Exported:
    """A U-Net with batch norm and dropout, still in training mode as a run would have it."""
    generator, card = unet()
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    return Exported(generator, card, path, export_onnx(generator.train(), card, path))


@pytest.fixture
def shake() -> Callable[[nn.Module], nn.Module]:
    return shaken


@pytest.fixture(scope="session")
def tiny_unet() -> Callable[..., tuple[nn.Module, ImageCard]]:
    return unet


@pytest.fixture
def export(tmp_path) -> Callable[[nn.Module, ImageCard], Exported]:
    """Export into this test's own folder."""

    def _export(generator: nn.Module, card: ImageCard) -> Exported:
        path = tmp_path / "model.onnx"
        return Exported(generator, card, path, export_onnx(generator, card, path))

    return _export
