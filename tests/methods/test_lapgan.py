"""The Laplacian pyramid of adversarial networks: every level plays its own game, on real low-pass pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers.critic_steps import CriticSteps
from i2i.data.images import ImageBatch
from i2i.errors import I2IError
from i2i.methods.lapgan import LaplacianPyramid
from i2i.methods.parts import Parts
from i2i.networks.dcgan import DCGANCritic
from i2i.networks.lapgan import LAPGAN
from i2i.networks.layers.pyramid import doubled, halved
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.networks.patchgan import PatchGAN
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
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


@pytest.mark.parametrize("fine_noise", [True, False])
def test_a_level_is_given_new_noise_where_it_has_any(fine_noise: bool) -> None:
    parts = replace(
        PARTS,
        generator=lambda planes, out: LAPGAN(
            in_channels=planes, out_channels=out, size=16, levels=2, channels=4, fine_noise=fine_noise
        ),
    )
    method = LaplacianPyramid(parts)
    real = [halved(BATCHES["lapgan"]().image), BATCHES["lapgan"]().image]
    (_, (coarse, fine)), (_, (other_coarse, other_fine)) = method._fakes(real), method._fakes(real)
    assert not torch.equal(coarse, other_coarse)
    assert torch.equal(fine, other_fine) != fine_noise


def test_a_levels_loss_reaches_no_other_level(make: Make) -> None:
    method, _ = make(name="lapgan")
    low_pass, fake = method._fakes([halved(BATCHES["lapgan"]().image), BATCHES["lapgan"]().image])
    assert low_pass[0] is None
    fake[1].square().sum().backward()
    assert all(parameter.grad is None for parameter in method.generator.coarse.parameters())
    assert all(parameter.grad is not None for parameter in method.generator.refinements[0].parameters())


def test_finer_levels_are_drawn_to_the_real_picture_by_their_distance_to_it(make: Make) -> None:
    method, engine = make(name="lapgan", l1_weight=7.0)
    made: list[torch.Tensor] = []
    method.generator.refinements[0].register_forward_hook(lambda _, given, picture: made.append(picture.detach()))
    batch = BATCHES["lapgan"]()
    logged = step(method, engine, batch)
    assert logged["g_l1_16"] == pytest.approx(7 * float((made[0] - batch.image).abs().mean()), rel=1e-5)
    assert "g_l1_8" not in logged


def test_the_coarsest_level_has_a_turn_on_every_part_and_the_others_on_the_last(make: Make) -> None:
    method, engine = make(name="lapgan", coarse_turns=3)
    images = torch.linspace(-1, 1, 6).view(6, 1, 1, 1).expand(6, 3, 16, 16).contiguous()
    seen: dict[str, list[list[float]]] = {"discriminator_8": [], "discriminator_16": []}
    for name, duel in method._games():
        duel.discriminator.register_forward_pre_hook(
            lambda _, given, name=name: seen[name].append(given[0][:, -1, 0, 0].tolist())
        )
    step(method, engine, ImageBatch(images))
    real = [[pytest.approx(value) for value in pair] for pair in ([-1.0, -0.6], [-0.2, 0.2], [0.6, 1.0])]
    assert seen["discriminator_8"][::3] == real  # real, fake, and fake once more for the generator
    assert len(seen["discriminator_8"]) == 9
    assert seen["discriminator_16"][0] == real[-1]
    assert len(seen["discriminator_16"]) == 3
    assert [int(duel.turns) for _, duel in method._games()] == [3, 1]
    steps = {name: optimiser.state()["moments"] for name, optimiser in engine.optimisers.items()}
    assert all(moment["step"] == 3 for moment in steps["discriminator_8"].values())
    assert all(moment["step"] == 1 for moment in steps["discriminator_16"].values())
    coarse = len(list(method.generator.coarse.parameters()))
    assert [int(moment["step"]) for moment in steps["generator"].values()][:coarse] == [3] * coarse
    assert {int(moment["step"]) for moment in steps["generator"].values()} == {3, 1}


def test_a_batch_that_does_not_come_apart_is_refused(make: Make) -> None:
    method, engine = make(name="lapgan", coarse_turns=3)
    with pytest.raises(I2IError, match="coarse_turns 3 does not divide a batch of 2 pictures") as caught:
        step(method, engine, BATCHES["lapgan"]())
    assert caught.value.code == "E_RECIPE"


def test_turns_of_the_generator_are_counted_by_level() -> None:
    patient = replace(PARTS, stabilisers=lambda: [CriticSteps(count=2)])
    method = LaplacianPyramid(patient, latent_channels=3, coarse_turns=2)
    engine = Engine(method.players(), settings={name: OptimiserSettings() for name in method.players()})
    batch = BATCHES["lapgan"]()
    first, second = (step(method, engine, batch, number) for number in range(2))
    assert "g_adversarial_8" in first and "g_adversarial_16" not in first
    assert "g_adversarial_8" in second and "g_adversarial_16" in second


def test_the_coarsest_level_may_have_a_critic_of_its_own() -> None:
    own = {"type": "dcgan_critic", "channels": 2, "norm": "none"}
    method = LaplacianPyramid(PARTS, coarse_discriminator=own)
    kinds = {name: type(duel.discriminator) for name, duel in method._games()}
    assert kinds == {"discriminator_8": DCGANCritic, "discriminator_16": PatchGAN}
    # 3 channels to 2, halved to 4x4, with a bias, and one score over 4x4.
    assert sum(p.numel() for p in method.players()["discriminator_8"].parameters()) == 16 * (3 * 2 + 2) + 2 + 1


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"latent_channels": 0}, ValueError, "latent_channels is 1 or more, got 0"),
        ({"l1_weight": -1.0}, ValueError, "l1_weight is 0 or more, got -1"),
        ({"coarse_turns": 0}, ValueError, "coarse_turns is 1 or more, got 0"),
        ({"coarse_discriminator": {"type": "mlp_critic", "width": 3}}, ValueError, "coarse_discriminator .*'width'"),
        ({"coarse_discriminator": {"type": "mlp"}}, ValueError, "{'type': 'mlp'} is no discriminator"),
        ({"coarse_discriminator": {"type": "mlp_critik"}}, I2IError, "did you mean 'mlp_critic'"),
        (
            {"coarse_discriminator": {"type": "patchgan", "layers": 2}},
            ValueError,
            "discriminator_8 takes 12 pixels and",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        LaplacianPyramid(PARTS, **options)


def test_it_learns_the_colour_of_its_pictures_at_every_level(make: Make) -> None:
    method, engine = make(name="lapgan", latent_channels=3, learning_rate=4e-3)
    colour = torch.tensor([0.7, -0.5, 0.0]).view(1, 3, 1, 1).expand(8, 3, 16, 16).contiguous()
    made = []
    for number in range(120):
        step(method, engine, ImageBatch(colour), number)
        with torch.no_grad():
            made.append(method.generator(torch.randn(64, method.latent_channels)).mean((0, 2, 3)))
    # The players circle around it: it is what they make on average.
    assert torch.stack(made[40:]).mean(0).tolist() == pytest.approx([0.7, -0.5, 0.0], abs=0.2)


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
