"""Every objective with every stabiliser in a method on pictures: it trains, or says why it makes no sense."""

from __future__ import annotations

import pytest
import torch

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.methods.parts import Parts
from i2i.methods.pix2pix import Pix2Pix
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.patchgan import PatchGAN
from i2i.networks.unet import UNet
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
from tests.methods.conftest import paired_batch

# Which critic an objective or a stabiliser asks for; any other plays with a critic of instance norm.
AUTOENCODERS = {"began"}
BATCH_NORMS = {"virtual_batch_norm"}
# What makes no sense on the critic that the objective needs, and a word of the reason.
REFUSED = {
    ("began", "minibatch_discrimination"): "last layer",
    ("began", "minibatch_stddev"): "last layer",
    ("began", "virtual_batch_norm"): "batch normalisation",
}
PAIRS = [(objective, stabiliser) for objective in OBJECTIVES for stabiliser in STABILISERS]


def make(objective: str, stabilisers: list[str], *, norm: str = "instance") -> tuple[Pix2Pix, Engine]:
    torch.manual_seed(0)

    def critic(planes: int) -> torch.nn.Module:
        if objective in AUTOENCODERS:
            return Autoencoder(in_channels=planes, channels=4, depth=2, code=4)
        return PatchGAN(in_channels=planes, channels=4, layers=1, norm=norm)  # type: ignore[arg-type]

    parts = Parts(
        source_planes=3,
        target_planes=3,
        generator=lambda planes, out: UNet(in_channels=planes, out_channels=out, channels=4, depth=3),
        discriminator=critic,
        objective=OBJECTIVES[objective],
        stabilisers=lambda: [STABILISERS[name]() for name in stabilisers],
    )
    method = Pix2Pix(parts)
    engine = Engine(method.players(), settings=dict.fromkeys(method.players(), OptimiserSettings()))
    engine.place(method)
    return method, engine


@pytest.mark.parametrize(("objective", "stabiliser"), PAIRS)
def test_a_pair_trains_both_players_or_is_refused_with_the_reason(objective: str, stabiliser: str) -> None:
    norm = "batch" if stabiliser in BATCH_NORMS else "instance"
    if (objective, stabiliser) in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[objective, stabiliser]):
            make(objective, [stabiliser], norm=norm)
        return
    method, engine = make(objective, [stabiliser], norm=norm)
    before = {name: [p.detach().clone() for p in player.parameters()] for name, player in engine.players.items()}
    losses: dict[str, torch.Tensor] = {}
    for step in range(5):  # as many as the critic has steps before the generator's first
        engine.begin(seed=0, step=step, rate_factor=1.0)
        losses |= method.training_step(engine.batch(paired_batch()), engine)
        engine.end()
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())
    for name, player in engine.players.items():
        moved = [not torch.equal(p, old) for p, old in zip(player.parameters(), before[name], strict=True)]
        assert any(moved), name


@pytest.mark.parametrize("stabiliser", ["gradient_penalty", "dragan", "r1", "r2", "unrolled"])
def test_a_critic_with_batch_norm_is_refused_where_its_pictures_must_be_judged_one_by_one(stabiliser: str) -> None:
    with pytest.raises(ValueError, match=r"without batch normalisation.*discriminator\.norm to instance or none"):
        make("non_saturating", [stabiliser], norm="batch")


def test_an_autoencoders_objective_refuses_a_critic_that_is_none() -> None:
    parts = Parts(
        source_planes=3,
        target_planes=3,
        generator=lambda planes, out: UNet(in_channels=planes, out_channels=out, channels=4, depth=3),
        discriminator=lambda planes: PatchGAN(in_channels=planes, channels=4, layers=1),
        objective=OBJECTIVES["began"],
    )
    with pytest.raises(ValueError, match="autoencoder"):
        Pix2Pix(parts)
