"""Objectives against closed-form values, signs and numerical gradients."""

from __future__ import annotations

import math

import pytest
import torch

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.objectives.objective import Judged
from i2i.networks.layers.critic_output import CriticOutput

every_objective = pytest.mark.parametrize("name", list(OBJECTIVES))


def scores(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def judged(score: torch.Tensor) -> Judged:
    """Scores of pictures that do not matter."""
    return Judged(torch.zeros(score.shape[0], 1, 2, 2, dtype=score.dtype), CriticOutput(score))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@every_objective
def test_a_better_critic_and_a_better_generator_have_lower_losses(name: str) -> None:
    objective = OBJECTIVES[name]()
    total = lambda real, fake: sum(objective.discriminator(judged(scores(real)), judged(scores(fake))).values())  # noqa: E731
    assert total(0.8, 0.2) < total(0.5, 0.5) < total(0.2, 0.8)
    assert objective.generator(judged(scores(0.8))) < objective.generator(judged(scores(0.2)))


@every_objective
def test_losses_are_scalars_and_agree_with_numerical_gradients(name: str) -> None:
    objective = OBJECTIVES[name]()
    torch.manual_seed(0)
    real = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert objective.generator(judged(fake)).shape == ()
    assert torch.autograd.gradcheck(
        lambda r, f: sum(objective.discriminator(judged(r), judged(f)).values()), (real, fake)
    )
    assert torch.autograd.gradcheck(lambda f: objective.generator(judged(f)), (fake,))


@every_objective
def test_extreme_scores_stay_finite(name: str) -> None:
    objective = OBJECTIVES[name]()
    losses = [
        *objective.discriminator(judged(scores(-1e4)), judged(scores(1e4))).values(),
        objective.generator(judged(scores(-1e4))),
    ]
    assert all(bool(torch.isfinite(loss)) for loss in losses)


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
