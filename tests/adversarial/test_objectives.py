"""Objectives against closed-form values, signs and numerical gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.objectives.objective import Judged, Objective
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.patchgan import PatchGAN

every_objective = pytest.mark.parametrize("name", list(OBJECTIVES))


def scores(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def judged(score: torch.Tensor) -> Judged:
    """Scores of pictures that do not matter."""
    return Judged(torch.zeros(score.shape[0], 1, 2, 2, dtype=score.dtype), CriticOutput(score))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def generator_loss(objective: Objective, fake: Tensor, real: Tensor) -> Tensor:
    """As the duel asks for it: with the real batch where the objective sees it."""
    return objective.generator(judged(fake), real=judged(real) if objective.sees_real else None)


def critic(objective: str, planes: int) -> nn.Module:
    """A tiny network that the objective can be played with."""
    if objective == "began":
        return Autoencoder(in_channels=planes, channels=4, depth=1, code=2)
    return PatchGAN(in_channels=planes, channels=4, layers=1, norm="instance")


@every_objective
def test_a_better_critic_and_a_better_generator_have_lower_losses(name: str) -> None:
    objective = OBJECTIVES[name]()
    total = lambda real, fake: sum(objective.discriminator(judged(scores(real)), judged(scores(fake))).values())  # noqa: E731
    assert total(0.8, 0.2) < total(0.5, 0.5) < total(0.2, 0.8)
    good, bad = (generator_loss(objective, scores(fake), scores(0.5)) for fake in (0.8, 0.2))
    assert good < bad


@every_objective
def test_losses_are_scalars_and_agree_with_numerical_gradients(name: str) -> None:
    objective = OBJECTIVES[name]()
    torch.manual_seed(0)
    real = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert all(loss.shape == () for loss in objective.discriminator(judged(real), judged(fake)).values())
    assert generator_loss(objective, fake, real).shape == ()
    assert torch.autograd.gradcheck(
        lambda r, f: sum(objective.discriminator(judged(r), judged(f)).values()), (real, fake)
    )
    assert torch.autograd.gradcheck(lambda f, r: generator_loss(objective, f, r), (fake, real))


@every_objective
def test_extreme_scores_stay_finite(name: str) -> None:
    objective = OBJECTIVES[name]()
    for real, fake in ((scores(-1e4), scores(1e4)), (scores(1e4), scores(-1e4))):
        real.requires_grad_(), fake.requires_grad_()
        losses = [
            *objective.discriminator(judged(real), judged(fake)).values(),
            generator_loss(objective, fake, real),
        ]
        sum(losses).backward()
        values = [*losses, real.grad, fake.grad]
        assert all(value is None or bool(torch.isfinite(value)) for value in values)


@every_objective
@pytest.mark.parametrize("planes", [0, 2], ids=["alone", "beside-a-condition"])
def test_it_is_played_in_a_duel_and_its_gradient_reaches_the_fake_image(name: str, planes: int) -> None:
    torch.manual_seed(0)
    duel = Duel(critic(name, 3 + planes), objective=OBJECTIVES[name]())
    real, fake = torch.rand(2, 2, 3, 8, 8).unbind()
    condition = torch.rand(2, planes, 8, 8) if planes else None
    fake.requires_grad_()
    for _ in range(2):
        losses, indicators = duel.discriminator_losses(real, fake, condition=condition)
        assert all(loss_name.startswith("d_") for loss_name in losses)
        assert not any(value.requires_grad for value in indicators.values())
        sum(losses.values()).backward()
    assert fake.grad is None
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in last_weights(duel.discriminator))
    duel.generator_losses(fake, real=real, condition=condition)["g_adversarial"].backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0


def last_weights(network: nn.Module) -> list[nn.Parameter]:
    return [list(network.parameters())[-2]]


@every_objective
def test_only_objectives_that_ask_for_the_real_batch_are_shown_it(name: str) -> None:
    seen: list[bool] = []
    objective = OBJECTIVES[name]()
    plain = objective.generator
    objective.generator = lambda fake, *, real=None: seen.append(real is not None) or plain(fake, real=real)
    image = torch.rand(1, 3, 8, 8)
    Duel(critic(name, 3), objective=objective).generator_losses(image, real=image)
    assert seen == [objective.sees_real]


def test_minimax_is_the_value_function_that_both_players_share() -> None:
    objective = OBJECTIVES["minimax"]()
    losses = objective.discriminator(judged(scores(0.3, -1.2)), judged(scores(2.0, 0.1)))
    assert float(losses["d_real"]) == pytest.approx(-(math.log(sigmoid(0.3)) + math.log(sigmoid(-1.2))) / 2)
    assert float(losses["d_fake"]) == pytest.approx(-(math.log(1 - sigmoid(2.0)) + math.log(1 - sigmoid(0.1))) / 2)
    generator = objective.generator(judged(scores(2.0, 0.1)))
    assert float(generator) == pytest.approx((math.log(1 - sigmoid(2.0)) + math.log(1 - sigmoid(0.1))) / 2)
    assert float(generator) == pytest.approx(-float(losses["d_fake"]))


def test_minimax_saturates_where_the_non_saturating_game_does_not() -> None:
    # d/ds log(1 - D) = -D and d/ds -log D = D - 1: at a score of -20 the one is 0 and the other -1.
    for name, slope in (("minimax", -sigmoid(-20.0)), ("non_saturating", sigmoid(-20.0) - 1)):
        score = scores(-20.0).requires_grad_()
        OBJECTIVES[name]().generator(judged(score)).backward()
        assert score.grad is not None
        assert float(score.grad) == pytest.approx(slope)


def test_cross_entropy_keeps_its_digits_for_scores_that_are_far_on_the_right_side() -> None:
    # In float32 softplus(20) - 20 is 0, but the loss and its slope are exp(-20).
    real = torch.tensor([20.0], requires_grad=True)
    loss = OBJECTIVES["non_saturating"]().discriminator(judged(real), judged(torch.tensor([-20.0])))["d_real"]
    loss.backward()
    assert float(loss) == pytest.approx(math.exp(-20), rel=1e-5)
    assert real.grad is not None
    assert float(real.grad) == pytest.approx(-math.exp(-20), rel=1e-5)


def test_non_saturating_is_cross_entropy_on_sigmoids() -> None:
    objective = OBJECTIVES["non_saturating"]()
    losses = objective.discriminator(judged(scores(0.3, -1.2)), judged(scores(2.0, 0.1)))
    assert float(losses["d_real"]) == pytest.approx(-(math.log(sigmoid(0.3)) + math.log(sigmoid(-1.2))) / 2)
    assert float(losses["d_fake"]) == pytest.approx(-(math.log(1 - sigmoid(2.0)) + math.log(1 - sigmoid(0.1))) / 2)
    assert float(objective.generator(judged(scores(0.7)))) == pytest.approx(-math.log(sigmoid(0.7)))
    assert float(objective.generator(judged(scores(0.0)))) == pytest.approx(math.log(2))


def test_least_squares_pulls_real_to_one_and_fake_to_zero() -> None:
    objective = OBJECTIVES["least_squares"]()
    losses = objective.discriminator(judged(scores(0.5, 2.0)), judged(scores(-1.0, 0.5)))
    assert float(losses["d_real"]) == pytest.approx((0.25 + 1) / 2)
    assert float(losses["d_fake"]) == pytest.approx((1 + 0.25) / 2)
    assert float(objective.generator(judged(scores(3.0)))) == pytest.approx(4.0)


def test_wasserstein_losses_are_plain_means_and_the_indicator_is_their_distance() -> None:
    objective = OBJECTIVES["wasserstein"]()
    real, fake = judged(scores(3.0, 1.0)), judged(scores(-0.5, 0.0).requires_grad_())
    losses = objective.discriminator(real, fake)
    assert {name: float(loss) for name, loss in losses.items()} == {"d_real": -2.0, "d_fake": -0.25}
    assert float(objective.generator(fake)) == 0.25
    indicators = objective.indicators(real, fake)
    assert {name: float(value) for name, value in indicators.items()} == {"wasserstein": 2.25}
    assert not indicators["wasserstein"].requires_grad


def test_hinge_stops_at_a_margin_of_one_on_the_right_side() -> None:
    objective = OBJECTIVES["hinge"]()
    losses = objective.discriminator(judged(scores(0.25, 2.0)), judged(scores(0.5, -3.0)))
    assert float(losses["d_real"]) == pytest.approx((0.75 + 0) / 2)
    assert float(losses["d_fake"]) == pytest.approx((1.5 + 0) / 2)
    assert float(objective.generator(judged(scores(3.0, -1.0)))) == pytest.approx(-1.0)


def test_relativistic_average_compares_each_side_with_the_mean_of_the_other() -> None:
    objective = OBJECTIVES["relativistic_average"]()
    real, fake = judged(scores(2.0, 0.0)), judged(scores(-1.0, 0.5))
    # The mean real score is 1, the mean fake one -0.25.
    losses = objective.discriminator(real, fake)
    assert float(losses["d_real"]) == pytest.approx(-(math.log(sigmoid(2.25)) + math.log(sigmoid(0.25))) / 2)
    assert float(losses["d_fake"]) == pytest.approx(-(math.log(1 - sigmoid(-2.0)) + math.log(1 - sigmoid(-0.5))) / 2)
    expected = -(math.log(sigmoid(-2.0)) + math.log(sigmoid(-0.5))) / 2
    expected -= (math.log(1 - sigmoid(2.25)) + math.log(1 - sigmoid(0.25))) / 2
    assert float(objective.generator(fake, real=real)) == pytest.approx(expected)


def test_in_the_relativistic_game_the_players_losses_are_each_others_with_the_sides_exchanged() -> None:
    objective = OBJECTIVES["relativistic_average"]()
    one, other = judged(torch.randn(2, 1, 3, 3)), judged(torch.randn(2, 1, 3, 3))
    total = sum(objective.discriminator(real=other, fake=one).values())
    assert float(objective.generator(one, real=other)) != pytest.approx(float(total))
    assert float(objective.generator(one, real=other)) == pytest.approx(
        float(sum(objective.discriminator(real=one, fake=other).values()))
    )
