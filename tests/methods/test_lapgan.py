"""The Laplacian pyramid of adversarial networks: every level plays its own game, on real low-pass pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from i2i.adversarial.objectives import OBJECTIVES
from i2i.data.images import ImageBatch
from i2i.methods.lapgan import LaplacianPyramid
from i2i.methods.parts import Parts
from i2i.networks.lapgan import LAPGAN
from i2i.networks.layers.pyramid import doubled, halved
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.networks.patchgan import PatchGAN
from tests.methods.conftest import BATCHES, Make

PARTS = Parts(
    source_planes=0,
    target_planes=3,
    generator=lambda planes, out: LAPGAN(in_channels=planes, out_channels=out, size=16, levels=2, channels=4),
    discriminator=lambda planes, size: PatchGAN(in_channels=planes, channels=4, layers=1),
    objective=OBJECTIVES["non_saturating"],
)


def step(method: LaplacianPyramid, engine, batch: ImageBatch, number: int = 0) -> dict[str, float]:
    engine.begin(seed=0, step=number, rate_factor=1.0)
    return {name: float(loss) for name, loss in method.training_step(engine.batch(batch), engine).items()}


def test_every_level_logs_its_game_by_its_size(make: Make) -> None:
    logged = step(*make(name="lapgan"), BATCHES["lapgan"]())
    plain = ("d_real", "d_fake", "g_adversarial")
    assert set(logged) == {f"{name}_{side}" for name in plain for side in (8, 16)}


def test_a_critic_sees_sum_and_low_pass_of_the_real_picture(make: Make) -> None:
    method, engine = make(name="lapgan")
    batch = BATCHES["lapgan"]()
    seen: dict[str, list[torch.Tensor]] = {}
    for name, duel in method._games():
        duel.discriminator.register_forward_pre_hook(
            lambda _, given, name=name: seen.setdefault(name, []).append(given[0].detach())
        )
    step(method, engine, batch)
    coarse_real, coarse_fake, _ = seen["discriminator_8"]
    assert torch.allclose(coarse_real, halved(batch.image))
    assert coarse_fake.shape == (2, 3, 8, 8)
    fine_real, fine_fake, for_generator = seen["discriminator_16"]
    low_pass = doubled(halved(batch.image))
    assert torch.allclose(fine_real, torch.cat((low_pass, batch.image), 1))
    # In training the low-pass picture is the real one's, not what the coarser level made.
    assert torch.allclose(fine_fake[:, :3], low_pass)
    assert torch.equal(for_generator, fine_fake)


def test_a_levels_loss_reaches_no_other_level(make: Make) -> None:
    method, _ = make(name="lapgan")
    low_pass, fake = method._fakes([halved(BATCHES["lapgan"]().image), BATCHES["lapgan"]().image])
    assert low_pass[0] is None
    fake[1].square().sum().backward()
    assert all(parameter.grad is None for parameter in method.generator.coarse.parameters())
    assert all(parameter.grad is not None for parameter in method.generator.refinements[0].parameters())


def test_it_learns_the_colour_of_its_pictures_at_every_level(make: Make) -> None:
    method, engine = make(name="lapgan", latent_channels=3, learning_rate=4e-3)
    colour = torch.tensor([0.7, -0.5, 0.0]).view(1, 3, 1, 1).expand(8, 3, 16, 16).contiguous()
    for number in range(80):
        step(method, engine, ImageBatch(colour), number)
    with torch.no_grad():
        made = method.generator(torch.randn(64, method.latent_channels)).mean((0, 2, 3))
    assert made.tolist() == pytest.approx([0.7, -0.5, 0.0], abs=0.25)  # the players circle around it


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (replace(PARTS, generator=lambda planes, out: MLP(in_channels=planes)), "set generator.type to lapgan"),
        (
            replace(PARTS, discriminator=lambda planes, size: MLPCritic(in_channels=planes, size=16)),
            "discriminator_8 takes 16 pixels alone",
        ),
        (
            replace(PARTS, discriminator=lambda planes, size: PatchGAN(in_channels=planes, channels=4, layers=2)),
            "discriminator_8 takes 12 pixels and more",
        ),
    ],
)
def test_parts_that_fit_no_pyramid_are_refused(parts: Parts, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LaplacianPyramid(parts)


def test_a_critic_that_knows_one_size_is_made_for_that_of_its_level() -> None:
    sized = replace(PARTS, discriminator=lambda planes, size: MLPCritic(in_channels=planes, channels=4, size=size))
    method = LaplacianPyramid(sized)
    assert method.other_sizes() == {"discriminator_8": 8, "discriminator_16": 16}
    assert {name: part.size for name, part in method.players().items() if name != "generator"} == method.other_sizes()
