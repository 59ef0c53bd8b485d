"""The cross entropy of what has a label, on values computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from i2i.losses.classification import known_cross_entropy

LOGITS = torch.tensor([[math.log(3), 0.0], [5.0, -7.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, -1, -1], math.log(4 / 3)),  # p = 3 / 4
        ([1, -1, 0], (math.log(4) + math.log(2)) / 2),
        ([-1, -1, 1], math.log(2)),
    ],
)
def test_it_is_the_mean_over_the_labelled_rows_alone(labels: list[int], expected: float) -> None:
    assert float(known_cross_entropy(LOGITS, torch.tensor(labels))) == pytest.approx(expected)


def test_without_any_label_it_is_zero_and_pulls_nowhere() -> None:
    logits = LOGITS.clone().requires_grad_()
    loss = known_cross_entropy(logits, torch.full((3,), -1))
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert not logits.grad.any()
