"""Stabilisers that change the critic, its input or its losses, each in a tiny training with a real engine."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.stabilisers import STABILISERS
from i2i.training import checkpoint
from tests.adversarial.parts import critic, pix2pix, train

OPTIONS: dict[str, dict[str, Any]] = {
    "minibatch_discrimination": {"rows": 3, "row_length": 2},
    "minibatch_stddev": {},
    "instance_noise": {"decay_steps": 5},
    "layer_noise": {"decay_steps": 5},
    "virtual_batch_norm": {"reference": 3},
    "feature_matching": {"layers": "all", "alone": False},
    "historical_averaging": {},
}
each = pytest.mark.parametrize("name", list(OPTIONS))


def made(name: str, **options: Any) -> Any:
    return pix2pix([STABILISERS[name](**OPTIONS[name])], norm="batch", **options)


@each
@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp64"])
def test_it_trains_in_every_precision(name: str, precision: Any, conditional: bool) -> None:
    method, engine = made(name, precision=precision, conditional=conditional)
    losses = train(method, engine, 2)
    assert all(torch.isfinite(torch.tensor(list(step.values()))).all() for step in losses)
    wide = torch.float64 if precision == "fp64" else torch.float32
    kinds = {tensor.dtype for tensor in method.state_dict().values() if tensor.is_floating_point()}
    assert kinds == {wide}


@each
@pytest.mark.parametrize("before", [0, 2])
def test_a_resumed_training_goes_on_to_the_bit(name: str, before: int, tmp_path: Any) -> None:
    one, two = made(name), made(name)
    train(*one, before)
    state = {"method": one[0].state_dict(), "engine": one[1].state()}
    restored = checkpoint.read(checkpoint.save(tmp_path, state, step=before, digest=""))
    two[0].load_state_dict(restored["method"])
    two[1].load_state(restored.get("engine", {}))  # before the first step it has none
    after = range(before, before + 2)
    assert train(*one, after) == train(*two, after)
    assert checkpoint.digest(one[0].state_dict()) == checkpoint.digest(two[0].state_dict())


@each
def test_a_copy_of_a_trained_method_takes_the_same_step(name: str) -> None:
    method, engine = made(name)
    train(method, engine, 1)
    method_again, engine_again = made(name)
    engine_again.load_state(engine.state())
    method_again.load_state_dict(copy.deepcopy(method).state_dict())
    assert train(method, engine, range(1, 2)) == train(method_again, engine_again, range(1, 2))


@each
@pytest.mark.parametrize("conditional", [True, False])
def test_its_gradients_reach_the_fake_image_and_every_weight_of_the_critic(name: str, conditional: bool) -> None:
    torch.manual_seed(0)
    duel = Duel(
        critic(5 if conditional else 3, norm="batch"),
        objective=NonSaturating(),
        stabilisers=[STABILISERS[name](**OPTIONS[name])],
    )
    real, fake = torch.randn(2, 4, 3, 16, 16)
    condition = torch.randn(4, 2, 16, 16) if conditional else None
    torch.stack(list(duel.discriminator_losses(real, fake, condition=condition)[0].values())).sum().backward()
    without = [key for key, p in duel.discriminator.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
    fake.requires_grad_(True)
    torch.stack(list(duel.generator_losses(fake, real=real, condition=condition).values())).sum().backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0


@each
def test_the_critics_weights_can_be_replaced_by_their_names(name: str) -> None:
    torch.manual_seed(0)
    stabilisers = [STABILISERS[name](**OPTIONS[name])]
    duel = Duel(critic(3, norm="batch"), objective=NonSaturating(), stabilisers=stabilisers).eval()
    image = torch.randn(2, 3, 16, 16)
    zeros = {key: torch.zeros_like(value) for key, value in duel.discriminator.named_parameters()}
    assert duel.judge(image, weights=zeros).score.abs().sum() == 0
    assert duel.judge(image).score.abs().sum() > 0
