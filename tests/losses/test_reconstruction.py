"""Reconstruction losses on values computed by hand."""

from __future__ import annotations

import pytest
import torch

from i2i.losses.reconstruction import gradient_difference, l1


def test_l1_is_the_mean_absolute_difference() -> None:
    assert l1(torch.tensor([1.0, -1.0, 0.5]), torch.tensor([0.0, 1.0, 0.5])).item() == pytest.approx(1.0)


def test_l1_agrees_with_numerical_gradients() -> None:
    output = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(l1, (output, torch.randn(2, 3, dtype=torch.float64)))


def test_different_shapes_are_an_error_and_not_broadcast() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        l1(torch.zeros(2, 3), torch.zeros(3))
    with pytest.raises(ValueError, match="differ in shape"):
        gradient_difference(torch.zeros(2, 1, 3, 3), torch.zeros(1, 1, 3, 3))


def test_the_gradient_difference_is_that_of_absolute_steps_across_plus_down() -> None:
    # Across: steps of 2 and 2 against 1 and 0; down: 1 and 1 against 0 and 1.
    output = torch.tensor([[[[0.0, 2.0], [1.0, 3.0]]]])
    target = torch.tensor([[[[0.5, -0.5], [0.5, 0.5]]]])
    assert gradient_difference(output, target).item() == pytest.approx((1 + 2) / 2 + (1 + 0) / 2)


def test_the_gradient_difference_asks_for_no_colour_and_no_direction() -> None:
    target = torch.randn(2, 3, 5, 4)
    assert gradient_difference(0.7 - target, target).item() == pytest.approx(0.0, abs=1e-6)
    assert gradient_difference(torch.zeros_like(target), target).item() > 0.5


def test_the_gradient_difference_agrees_with_numerical_gradients() -> None:
    output = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(gradient_difference, (output, torch.randn(1, 2, 3, 3, dtype=torch.float64)))
