"""pix2pix's training step: who learns when, and from what."""

from __future__ import annotations

import pytest
import torch

from i2i.adversarial.objectives import OBJECTIVES
from i2i.data.paired import PairedBatch
from i2i.methods.pix2pix import Pix2Pix
from i2i.networks.unet import UNet
from i2i.training.engine import Engine
from tests.methods.conftest import Make


def steps(method: Pix2Pix, engine: Engine, batch: PairedBatch, count: int) -> list[dict[str, float]]:
    losses = []
    for step in range(count):
        engine.begin(seed=0, step=step, rate_factor=1.0)
        logged = method.training_step(engine.batch(batch), engine)
        losses.append({name: float(loss) for name, loss in logged.items()})
    return losses


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}


def changed(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(parameter, before[name]) for name, parameter in module.named_parameters())


@pytest.mark.parametrize("objective", list(OBJECTIVES))
def test_one_tiny_batch_is_learnt_by_heart(make: Make, batch: PairedBatch, objective: str) -> None:
    method, engine = make(objective=objective, learning_rate=4e-3, dropout=0.0)
    losses = steps(method, engine, batch, 120)
    assert losses[-1]["g_l1"] < 0.3 * losses[0]["g_l1"]


def test_the_losses_are_named_weighted_and_sum_to_what_is_minimised(make: Make, batch: PairedBatch) -> None:
    single = steps(*make(), batch, 1)[0]
    double = steps(*make(l1_weight=200.0, discriminator_weight=1.0), batch, 1)[0]
    assert set(single) == {"d_real", "d_fake", "g_l1", "g_adversarial"}
    assert double["g_l1"] == pytest.approx(2 * single["g_l1"])
    assert double["d_real"] == pytest.approx(2 * single["d_real"])


def test_the_gradient_difference_is_added_where_it_has_a_weight(make: Make, batch: PairedBatch) -> None:
    single = steps(*make(gradient_weight=1.0), batch, 1)[0]
    assert set(single) == {"d_real", "d_fake", "g_l1", "g_gradient", "g_adversarial"}
    alone = steps(*make(gradient_weight=30.0, l1_weight=0.0, adversarial_weight=0.0), batch, 1)[0]
    assert alone == {"g_gradient": pytest.approx(30 * single["g_gradient"])}


def test_the_same_seed_gives_the_same_losses_and_another_one_does_not(make: Make, batch: PairedBatch) -> None:
    assert steps(*make(), batch, 3) == steps(*make(), batch, 3)
    method, engine = make()
    engine.begin(seed=1, step=0, rate_factor=1.0)
    other = method.training_step(engine.batch(batch), engine)
    assert float(other["g_l1"]) != steps(*make(), batch, 1)[0]["g_l1"]


def test_the_discriminator_is_trained_before_the_generator_and_each_alone(make: Make, batch: PairedBatch) -> None:
    method, engine = make()
    order: list[tuple[str, bool, bool]] = []
    step = engine._step

    def watched(player: str) -> None:
        parts = snapshot(method.generator), snapshot(method.duel.discriminator)
        assert all(p.grad is None for name, part in engine.players.items() if name != player for p in part.parameters())
        step(player)
        order.append((player, changed(method.generator, parts[0]), changed(method.duel.discriminator, parts[1])))

    engine._step = watched  # type: ignore[method-assign]
    steps(method, engine, batch, 1)
    assert order == [("discriminator", False, True), ("generator", True, False)]


def test_without_adversarial_weight_there_is_no_discriminator(make: Make, batch: PairedBatch) -> None:
    method, engine = make(adversarial_weight=0.0)
    before = snapshot(method.duel.discriminator)
    assert list(method.players()) == ["generator"]
    assert set(steps(method, engine, batch, 2)[1]) == {"g_l1"}
    assert not changed(method.duel.discriminator, before)


def test_an_unconditional_critic_sees_the_target_alone(make: Make, batch: PairedBatch) -> None:
    losses = steps(*make(conditional=False, l1_weight=0.0), batch, 1)[0]
    assert set(losses) == {"d_real", "d_fake", "g_adversarial"}
    assert first_weight(make(conditional=False)[0]).shape[1] == 3
    assert first_weight(make()[0]).shape[1] == 6


def first_weight(method: Pix2Pix) -> torch.Tensor:
    return next(method.duel.discriminator.parameters())


def test_nothing_to_learn_from_is_an_error(make: Make) -> None:
    with pytest.raises(ValueError, match="all 0"):
        make(l1_weight=0.0, adversarial_weight=0.0)


def test_the_generator_sees_the_critic_through_its_own_gradient_only(make: Make, batch: PairedBatch) -> None:
    # With L1 off, a critic that ignores its input gives the generator nothing to follow.
    method, engine = make(l1_weight=0.0)
    for parameter in method.duel.discriminator.parameters():
        torch.nn.init.zeros_(parameter)
    before = snapshot(method.generator)
    engine.settings["discriminator"] = engine.settings["discriminator"]._replace(learning_rate=0.0)
    steps(method, engine, batch, 1)
    assert isinstance(method.generator, UNet)
    assert not changed(method.generator, before)
