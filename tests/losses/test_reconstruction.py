"""Reconstruction losses on values computed by hand."""

from __future__ import annotations

import pytest
import torch

from i2i.losses.reconstruction import l1


def test_l1_is_the_mean_absolute_difference() -> None:
    assert l1(torch.tensor([1.0, -1.0, 0.5]), torch.tensor([0.0, 1.0, 0.5])).item() == pytest.approx(1.0)


def test_l1_agrees_with_numerical_gradients() -> None:
    output = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(l1, (output, torch.randn(2, 3, dtype=torch.float64)))


def test_different_shapes_are_an_error_and_not_broadcast() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        l1(torch.zeros(2, 3), torch.zeros(3))
