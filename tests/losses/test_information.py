"""The bound of InfoGAN on values computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from i2i.losses.information import entropy, gaussian_surprise


@pytest.mark.parametrize(
    ("categories", "continuous", "nats"),
    [(10, 2, math.log(10) + 2 * math.log(2)), (0, 1, math.log(2)), (4, 0, math.log(4))],
)
def test_the_entropy_of_codes_is_that_of_fair_categories_and_of_uniform_numbers(
    categories: int, continuous: int, nats: float
) -> None:
    assert entropy(categories=categories, continuous=continuous) == pytest.approx(nats)


def test_a_number_one_deviation_off_surprises_by_half_a_nat_more() -> None:
    # -log of the normal density: (x - m)^2 / (2 s^2) + log s + log(2 pi) / 2, added up over the numbers of a row.
    values, mean, deviation = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, -1.0]]), torch.tensor([[1.0, 2.0]])
    expected = (0 + 0 + 0.9189385) + (0.5 + math.log(2) + 0.9189385)
    assert float(gaussian_surprise(values, mean, deviation)) == pytest.approx(expected, rel=1e-6)


def test_the_surprise_is_the_mean_over_the_rows() -> None:
    values, mean = torch.tensor([[0.0], [2.0]]), torch.zeros(2, 1)
    assert float(gaussian_surprise(values, mean, torch.ones(2, 1))) == pytest.approx(0.9189385 + 1.0, rel=1e-6)


def test_the_surprise_agrees_with_torchs_normal_distribution_and_with_numerical_gradients() -> None:
    torch.manual_seed(0)
    values, mean = torch.randn(2, 5, 3, dtype=torch.float64)
    deviation = torch.rand(5, 3, dtype=torch.float64) + 0.1
    expected = -torch.distributions.Normal(mean, deviation).log_prob(values).sum(1).mean()
    assert torch.allclose(gaussian_surprise(values, mean, deviation), expected)
    given = [part.requires_grad_() for part in (values, mean, deviation)]
    assert torch.autograd.gradcheck(gaussian_surprise, given)
