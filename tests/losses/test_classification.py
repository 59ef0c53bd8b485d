"""The cross entropy of what has a label, on values computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from i2i.losses.classification import known_cross_entropy, labels_cross_entropy
from i2i.networks.layers.label_sets import LabelSet

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


def test_labels_of_one_set_are_a_yes_or_no_each_or_one_of_them() -> None:
    logits = torch.tensor([[0.0, math.log(3)], [math.log(3), 0.0]])
    labels = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    # -log of 1/2, 1/4, 3/4 and 1/2
    expected = (math.log(2) + math.log(4) + math.log(4 / 3) + math.log(2)) / 2
    assert float(labels_cross_entropy(logits, labels, [LabelSet(2)])) == pytest.approx(expected)
    labels = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    expected = (math.log(4 / 3) + math.log(4)) / 2
    assert float(labels_cross_entropy(logits, labels, [LabelSet(2, exclusive=True)])) == pytest.approx(expected)


def test_labels_of_a_set_that_says_nothing_add_nothing_and_pull_nowhere() -> None:
    nan = float("nan")
    logits = torch.tensor([[0.0, 0.0, 9.0], [4.0, -4.0, math.log(3)]], requires_grad=True)
    labels = torch.tensor([[0.0, 1.0, nan], [nan, nan, 0.0]])
    loss = labels_cross_entropy(logits, labels, [LabelSet(2, exclusive=True), LabelSet(1)])
    assert float(loss.detach()) == pytest.approx((math.log(2) + math.log(4)) / 2)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[0, 2] == 0
    assert logits.grad[1, :2].tolist() == [0.0, 0.0]
    assert logits.grad[1, 2] == pytest.approx(0.75 / 2)
