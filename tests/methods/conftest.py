"""Tiny real methods: the same parts as in a training, narrow and on small pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from i2i.adversarial.objectives import OBJECTIVES
from i2i.data.conditioned import ConditionedBatch
from i2i.data.glyphs import StyledBatch
from i2i.data.images import ImageBatch
from i2i.data.paired import PairedBatch
from i2i.data.unpaired import UnpairedBatch
from i2i.images.card import Condition
from i2i.methods import METHODS
from i2i.methods.parts import Parts
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.lapgan import LAPGAN
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.networks.patchgan import PatchGAN
from i2i.networks.stargan import StarGAN, StarGANCritic
from i2i.networks.unet import UNet
from i2i.networks.zi2zi import Zi2ZiCritic, Zi2ZiGenerator
from i2i.training.engine import Engine, Precision
from i2i.training.optimisers import OptimiserSettings

Make = Callable[..., tuple[Any, Engine]]


@pytest.fixture
def make() -> Make:
    def tiny(
        *,
        name: str = "pix2pix",
        precision: Precision = "fp32",
        norm: Any = "batch",
        objective: str = "non_saturating",
        accumulate_steps: int = 1,
        learning_rate: float = 2e-4,
        dropout: float = 0.5,
        **options: Any,
    ) -> tuple[Any, Engine]:
        torch.manual_seed(0)
        parts = Parts(
            source_planes=3,
            target_planes=3,
            generator=lambda planes, out: UNet(
                in_channels=planes, out_channels=out, channels=4, depth=3, norm=norm, dropout=dropout
            ),
            discriminator=(
                (lambda planes: Autoencoder(in_channels=planes, channels=4, depth=1, code=2))
                if objective == "began"  # which plays with no other critic
                else (lambda planes: PatchGAN(in_channels=planes, channels=4, layers=1, norm=norm))
            ),
            objective=OBJECTIVES[objective],
        )
        if METHODS[name].batch_type in (ImageBatch, ConditionedBatch):
            parts = replace(
                parts,
                source_planes=0,
                condition_numbers=2 if METHODS[name].batch_type is ConditionedBatch else 0,
                generator=lambda planes, out: MLP(in_channels=planes, out_channels=out, size=16, channels=8),
                discriminator=lambda planes: MLPCritic(in_channels=planes, size=16, channels=8),
            )
        if name == "stargan":  # which translates, and whose critic tells classes
            parts = replace(
                parts,
                condition=Condition(kind="domains", names=("positive", "negative")),
                generator=lambda planes, out, condition_channels: StarGAN(
                    in_channels=planes,
                    out_channels=out,
                    condition_channels=condition_channels,
                    channels=4,
                    blocks=1,
                ),
                discriminator=lambda planes, condition_channels: StarGANCritic(
                    in_channels=planes, condition_channels=condition_channels, size=16, channels=4, layers=2
                ),
            )
        if name == "zi2zi":  # whose generator is asked for a code, and whose critic tells styles
            parts = replace(
                parts,
                condition_numbers=2,
                generator=lambda planes, out, condition_channels: Zi2ZiGenerator(
                    in_channels=planes,
                    out_channels=out,
                    condition_channels=condition_channels,
                    channels=4,
                    depth=3,
                    norm=norm,
                    dropout=dropout,
                ),
                discriminator=lambda planes, condition_channels: Zi2ZiCritic(
                    in_channels=planes, condition_channels=condition_channels, size=16, channels=4, norm=norm
                ),
            )
        if name == "lapgan":  # which plays with no other generator, and a critic of every level's size
            parts = replace(
                parts,
                generator=lambda planes, out: LAPGAN(
                    in_channels=planes, out_channels=out, size=16, levels=2, channels=4, kernel=3, coarse_channels=8
                ),
                discriminator=lambda planes, size: PatchGAN(in_channels=planes, channels=4, layers=1),
            )
        method = METHODS[name](parts, **options)
        settings = {name: OptimiserSettings(learning_rate=learning_rate) for name in method.players()}
        engine = Engine(method.players(), settings=settings, precision=precision, accumulate_steps=accumulate_steps)
        return method, engine

    return tiny


def paired_batch() -> PairedBatch:
    """Two smooth pictures and their negatives."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    source = torch.stack((torch.stack((x, y, x * y)), torch.stack((-y, x, y * y * 2 - 1)))) * 0.8
    return PairedBatch(source, -source)


# What each method is fed in the contract tests: a new method adds its line.
BATCHES: dict[str, Callable[[], Any]] = {
    "pix2pix": paired_batch,
    "cyclegan": lambda: UnpairedBatch(*paired_batch()),
    "cgan": lambda: ConditionedBatch(paired_batch().target, torch.tensor([0, 1])),
    "zi2zi": lambda: StyledBatch(*paired_batch(), torch.tensor([0, 1])),
    "stargan": lambda: ConditionedBatch(paired_batch().target, torch.tensor([0, 1])),
    "semi_supervised": lambda: ConditionedBatch(paired_batch().target, torch.tensor([-1, 1])),
    "infogan": lambda: ImageBatch(paired_batch().target),
    "gan": lambda: ImageBatch(paired_batch().target),
    "mode_regularised": lambda: ImageBatch(paired_batch().target),
    "mdgan": lambda: ImageBatch(paired_batch().target),
    "lapgan": lambda: ImageBatch(paired_batch().target),
    "adagan": lambda: ImageBatch(paired_batch().target),
}


@pytest.fixture
def batch() -> PairedBatch:
    return paired_batch()
