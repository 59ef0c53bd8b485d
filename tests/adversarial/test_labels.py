"""Soft and swapped labels: whom they concern, and how they are drawn."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.objectives.labels import Labelled
from i2i.adversarial.objectives.objective import Judged
from i2i.networks.layers.critic_output import CriticOutput

LABELLED = [name for name in OBJECTIVES if issubclass(OBJECTIVES[name], Labelled)]
every_labelled = pytest.mark.parametrize("name", LABELLED)


def judged(score: Tensor) -> Judged:
    return Judged(torch.zeros(score.shape[0], 1, 2, 2), CriticOutput(score))


def scores(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def cross_entropy(score: float, label: float) -> float:
    return -label * math.log(sigmoid(score)) - (1 - label) * math.log(1 - sigmoid(score))


def squared(score: float, label: float) -> float:
    return (score - label) ** 2


def test_the_objectives_of_the_papers_with_labels_have_them() -> None:
    assert {"minimax", "non_saturating", "least_squares"} <= set(LABELLED)


@pytest.mark.parametrize(
    ("name", "distance"),
    [("minimax", cross_entropy), ("non_saturating", cross_entropy), ("least_squares", squared)],
)
def test_smoothed_labels_are_those_of_the_discriminators_losses(name: str, distance) -> None:
    losses = OBJECTIVES[name](real_label=0.9, fake_label=0.1).discriminator(
        judged(scores(0.3, -1.2)), judged(scores(2.0, 0.1))
    )
    assert float(losses["d_real"]) == pytest.approx((distance(0.3, 0.9) + distance(-1.2, 0.9)) / 2)
    assert float(losses["d_fake"]) == pytest.approx((distance(2.0, 0.1) + distance(0.1, 0.1)) / 2)


@every_labelled
def test_one_sided_smoothing_leaves_the_fake_side_as_it_was(name: str) -> None:
    sides = judged(scores(0.3, -1.2)), judged(scores(2.0, 0.1))
    plain, smoothed = OBJECTIVES[name]().discriminator(*sides), OBJECTIVES[name](real_label=0.9).discriminator(*sides)
    assert torch.equal(plain["d_fake"], smoothed["d_fake"])
    assert not torch.equal(plain["d_real"], smoothed["d_real"])


def test_a_smoothed_discriminator_is_content_at_its_label() -> None:
    # Cross-entropy with a label t is flat where sigmoid(s) = t, the squared distance where s = t.
    for name, content in (("minimax", math.log(0.9 / 0.1)), ("least_squares", 0.9)):
        score = scores(content).requires_grad_()
        OBJECTIVES[name](real_label=0.9).discriminator(judged(score), judged(score.detach()))["d_real"].backward()
        assert score.grad is not None
        assert float(score.grad) == pytest.approx(0, abs=1e-12)


def test_the_generators_of_the_cross_entropy_games_know_no_labels() -> None:
    fake = judged(scores(0.3, -1.2))
    for name in ("minimax", "non_saturating"):
        options = {"real_label": 0.7, "fake_label": 0.2, "flip_probability": 0.49}
        assert torch.equal(OBJECTIVES[name](**options).generator(fake), OBJECTIVES[name]().generator(fake))


def test_the_least_squares_generator_pulls_to_the_real_label() -> None:
    objective = OBJECTIVES["least_squares"](real_label=2.0, fake_label=-1.0, flip_probability=0.4)
    assert float(objective.generator(judged(scores(0.5, 3.0)))) == pytest.approx((1.5**2 + 1) / 2)


@every_labelled
def test_labels_are_swapped_for_whole_samples_about_as_often_as_asked(name: str) -> None:
    objective = OBJECTIVES[name](flip_probability=0.3)
    count = 2000
    score = torch.full((count, 1, 2, 3), 0.8, dtype=torch.float64)
    torch.manual_seed(0)
    score.requires_grad_()
    losses = objective.discriminator(judged(score), judged(score.detach()))
    losses["d_real"].backward()
    # A score of 0.8 is pulled up to the real label and pushed down from the fake one, which is further away.
    assert score.grad is not None
    slopes = score.grad.flatten(1) * score.numel()
    assert torch.equal(slopes, slopes[:, :1].expand_as(slopes))
    kinds, counts = slopes[:, 0].unique(return_counts=True)
    assert len(kinds) == 2
    # The fake label's slope is the steeper one; four standard deviations of a share of 0.3 are 0.041.
    assert counts[kinds.abs().argmax()].item() / count == pytest.approx(0.3, abs=0.041)


def test_real_and_fake_samples_are_swapped_independently_of_each_other() -> None:
    objective = OBJECTIVES["least_squares"](flip_probability=0.4)
    torch.manual_seed(0)
    pairs = set()
    for _ in range(100):
        losses = objective.discriminator(judged(scores(0.0)), judged(scores(0.0)))
        pairs.add((float(losses["d_real"]), float(losses["d_fake"])))
    assert pairs == {(1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)}


@every_labelled
def test_swapping_follows_the_seed_and_without_it_nothing_is_drawn(name: str) -> None:
    sides = judged(torch.arange(8.0)), judged(-torch.arange(8.0))
    drawn = []
    for options in ({"flip_probability": 0.4}, {"flip_probability": 0.4}, {}):
        torch.manual_seed(3)
        losses = OBJECTIVES[name](**options).discriminator(*sides)
        drawn.append((float(sum(losses.values())), float(torch.rand(()))))
    torch.manual_seed(3)
    assert drawn[0] == drawn[1]
    assert drawn[2][1] == float(torch.rand(())) != drawn[0][1]


@every_labelled
def test_losses_with_labels_agree_with_numerical_gradients(name: str) -> None:
    objective = OBJECTIVES[name](real_label=0.9, fake_label=0.05, flip_probability=0.4)
    torch.manual_seed(0)
    real, fake = torch.randn(2, 4, 1, 2, 2, dtype=torch.float64, requires_grad=True).unbind()

    def total(real: Tensor, fake: Tensor) -> Tensor:
        torch.manual_seed(1)
        return sum(objective.discriminator(judged(real), judged(fake)).values())

    assert torch.autograd.gradcheck(total, (real, fake))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"real_label": 0.2, "fake_label": 0.2}, "real_label above fake_label"),
        ({"real_label": float("nan")}, "real_label above fake_label"),
        ({"real_label": float("inf")}, "real_label above fake_label"),
        ({"flip_probability": 0.5}, "below 0.5; got 0.5"),
        ({"flip_probability": -0.1}, "flip_probability lies in"),
    ],
)
@every_labelled
def test_labels_that_make_no_sense_are_refused(name: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OBJECTIVES[name](**options)


def test_cross_entropy_takes_labels_that_are_probabilities_and_least_squares_any() -> None:
    for name in ("minimax", "non_saturating"):
        with pytest.raises(ValueError, match=r"labels lie in 0\.\.1"):
            OBJECTIVES[name](real_label=1.1)
    assert OBJECTIVES["least_squares"](real_label=1.1, fake_label=-1.0).fake_label == -1.0
