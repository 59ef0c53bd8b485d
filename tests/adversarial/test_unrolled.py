"""The unrolled critic against derivations by hand and torch's own Adam."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.objectives.wasserstein import Wasserstein
from i2i.adversarial.stabilisers.instance_noise import InstanceNoise
from i2i.adversarial.stabilisers.unrolled import Unrolled
from i2i.networks.patchgan import PatchGAN
from tests.adversarial.parts import Plane, critic, duel


def point(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


def by_hand(fake: float, *, real: float, weight: float, rate: float, steps: int) -> float:
    """The generator's loss against D(x) = w * x after gradient steps on softplus(-w real) + softplus(w fake)."""
    for _ in range(steps):
        slope = -real / (1 + math.exp(weight * real)) + fake / (1 + math.exp(-weight * fake))
        weight -= rate * slope
    return math.log1p(math.exp(-weight * fake))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_generators_gradient_goes_through_the_critics_steps(steps: int) -> None:
    given = {"real": 1.3, "weight": 0.7, "rate": 0.4}
    stabiliser = Unrolled(steps=steps, learning_rate=0.4, optimiser="sgd")
    game = duel(Plane(point(0.7)[0]), stabiliser)
    fake = point(-0.6).requires_grad_()
    loss = game.generator_losses(fake, real=point(1.3))["g_adversarial"]
    loss.backward()
    assert float(loss.detach()) == pytest.approx(by_hand(-0.6, steps=steps, **given), rel=1e-12)
    near = 1e-5
    slope = (by_hand(-0.6 + near, steps=steps, **given) - by_hand(-0.6 - near, steps=steps, **given)) / (2 * near)
    assert fake.grad is not None
    assert fake.grad.item() == pytest.approx(slope, rel=1e-8)


def test_two_steps_of_the_wasserstein_game_in_closed_form() -> None:
    # w after two steps is w - 2 eta (f - r), so the loss -w f has the slope -w + 2 eta (2 f - r) at f.
    game = Duel(
        Plane(point(0.5)[0]),
        objective=Wasserstein(),
        stabilisers=[Unrolled(steps=2, learning_rate=0.1, optimiser="sgd")],
    )
    fake = point(0.3).requires_grad_()
    game.generator_losses(fake, real=point(2.0))["g_adversarial"].backward()
    assert fake.grad is not None
    assert fake.grad.item() == pytest.approx(-0.5 + 2 * 0.1 * (2 * 0.3 - 2.0), rel=1e-12)


def test_from_the_start_its_adam_takes_the_steps_of_torchs() -> None:
    torch.manual_seed(0)
    network = critic(3).double()
    reference = duel(copy.deepcopy(network))
    real, fake = torch.randn(2, 2, 3, 16, 16, dtype=torch.float64)
    stabiliser = Unrolled(steps=3, learning_rate=1e-2)
    weights = stabiliser.generator_weights(duel(network, stabiliser), real, fake, None)
    adam = torch.optim.Adam(reference.discriminator.parameters(), lr=1e-2, betas=(0.5, 0.999))
    for _ in range(3):
        adam.zero_grad()
        losses, _ = reference.discriminator_losses(real, fake)
        torch.stack(tuple(losses.values())).sum().backward()
        adam.step()
    for name, parameter in reference.discriminator.named_parameters():
        assert torch.allclose(weights[name], parameter, atol=1e-6), name


def test_later_turns_go_on_with_the_moments_of_the_critics_gradients() -> None:
    torch.manual_seed(0)
    stabiliser = Unrolled(steps=1, learning_rate=1.0)
    game = duel(Plane(point(0.7)[0]), stabiliser)
    slopes = []
    for fake in (-0.6, 0.2):
        slopes.append(-1.3 / (1 + math.exp(0.7 * 1.3)) + fake / (1 + math.exp(-0.7 * fake)))
        weights = stabiliser.generator_weights(game, point(1.3), point(fake), None)
    mean = 0.5 * 0.5 * slopes[0] + 0.5 * slopes[1]
    square = 0.001 * (0.999 * slopes[0] ** 2 + slopes[1] ** 2)
    change = mean / (1 - 0.5**2) / math.sqrt(square / (1 - 0.999**2))
    assert float(weights["weight"].detach()) == pytest.approx(0.7 - change, rel=1e-6)


def test_the_critic_is_left_as_it_is() -> None:
    network = critic(3)
    before = copy.deepcopy(network.state_dict())
    game = duel(network, Unrolled(steps=3))
    fake = torch.randn(2, 3, 16, 16, requires_grad=True)
    game.generator_losses(fake, real=torch.randn(2, 3, 16, 16))["g_adversarial"].backward()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_beside_other_stabilisers_real_and_fake_are_judged_apart_to_the_same_end() -> None:
    torch.manual_seed(0)
    network = critic(3)
    real, fake = torch.randn(2, 2, 3, 16, 16)
    results = []
    for others in ([], [InstanceNoise(sigma=1e-9)]):
        stabiliser = Unrolled(steps=2, learning_rate=0.1, optimiser="sgd")
        results.append(stabiliser.generator_weights(duel(network, stabiliser, *others), real, fake, None))
    for name, weight in results[0].items():
        assert torch.allclose(weight, results[1][name], atol=1e-6)


def test_a_critic_with_batch_norm_is_refused_and_so_are_no_steps() -> None:
    with pytest.raises(ValueError, match=r"Unrolled wants a critic without batch normalisation.*discriminator\.norm"):
        Duel(PatchGAN(norm="batch"), objective=NonSaturating(), stabilisers=[Unrolled()])
    with pytest.raises(ValueError, match="at least one step, got 0"):
        Unrolled(steps=0)
