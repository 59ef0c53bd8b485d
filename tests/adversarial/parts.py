"""Tiny real parts that the tests of stabilisers play with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.data.paired import PairedBatch
from i2i.methods.parts import Parts
from i2i.methods.pix2pix import Pix2Pix
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.patchgan import PatchGAN
from i2i.networks.unet import UNet
from i2i.training.engine import Engine, Precision
from i2i.training.optimisers import OptimiserSettings


class Plane(nn.Module):
    """Scores a picture by its inner product with the weights: the gradient at every picture is the weights."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, planes: Tensor) -> CriticOutput:
        return CriticOutput((planes * self.weight).sum((1, 2, 3)))


class Bowl(nn.Module):
    """Scores a picture by a weight times half its squared length: the gradient at a picture is weight * picture."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, planes: Tensor) -> CriticOutput:
        return CriticOutput(self.weight * planes.square().sum((1, 2, 3)) / 2)


def critic(planes: int, **options: Any) -> PatchGAN:
    """A narrow PatchGAN whose scores do not vanish."""
    network = PatchGAN(in_channels=planes, **{"channels": 4, "layers": 1, "norm": "instance", **options})
    for parameter in network.parameters():
        parameter.data.mul_(5)
    return network


def duel(network: nn.Module, *stabilisers: Stabiliser) -> Duel:
    return Duel(network, objective=NonSaturating(), stabilisers=stabilisers)


def pix2pix(
    stabilisers: Sequence[Stabiliser],
    *,
    precision: Precision = "fp32",
    learning_rate: float = 2e-4,
    norm: Any = "instance",
    **options: Any,
) -> tuple[Pix2Pix, Engine]:
    """A tiny pix2pix with its engine; equal calls make equal ones."""
    torch.manual_seed(0)
    parts = Parts(
        source_planes=3,
        target_planes=3,
        generator=lambda planes, out: UNet(in_channels=planes, out_channels=out, channels=4, depth=3, dropout=0.5),
        discriminator=lambda planes: PatchGAN(in_channels=planes, channels=4, layers=1, norm=norm),
        objective=NonSaturating,
        stabilisers=lambda: stabilisers,
    )
    method = Pix2Pix(parts, **options)
    settings = {name: OptimiserSettings(learning_rate=learning_rate) for name in method.players()}
    engine = Engine(method.players(), settings=settings, precision=precision)
    engine.place(method)
    return method, engine


def batch(count: int = 2) -> PairedBatch:
    generator = torch.Generator().manual_seed(1)
    source = torch.rand(count, 3, 16, 16, generator=generator) * 2 - 1
    return PairedBatch(source, -source)


def train(method: Pix2Pix, engine: Engine, steps: int | range, *, count: int = 2) -> list[dict[str, float]]:
    """The losses of so many steps, or of the steps of a range."""
    losses = []
    for step in range(steps) if isinstance(steps, int) else steps:
        engine.begin(seed=0, step=step, rate_factor=1.0)
        logged = method.training_step(engine.batch(batch(count)), engine)
        losses.append({name: float(loss) for name, loss in logged.items()})
    return losses
