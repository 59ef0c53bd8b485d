"""The moving average against values computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from i2i.training.averaging import Average


def test_the_average_follows_its_formula_and_forgets_the_start_quickly() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = Average(network, decay=0.5)
    nn.init.constant_(network.weight, 1.0)
    expected = 0.0
    for update in range(20):
        average.update(network)
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * 1.0
        assert average.network.weight.item() == pytest.approx(expected)


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    network = nn.BatchNorm1d(1)
    average = Average(network, decay=0.9)
    network.running_mean.fill_(10.0)  # type: ignore[union-attr]
    network.num_batches_tracked.fill_(7)  # type: ignore[union-attr]
    average.update(network)
    assert average.network.running_mean.item() == pytest.approx(9.0)  # the first decay is 1/10
    assert average.network.num_batches_tracked.item() == 7


def test_the_copy_is_in_evaluation_mode_and_needs_no_gradient() -> None:
    average = Average(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), decay=0.9)
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.network.parameters())


def test_its_state_goes_on_where_it_was() -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 3)
    one, two = Average(network, decay=0.99), Average(network, decay=0.99)
    nn.init.normal_(network.weight)
    one.update(network)
    two.load_state_dict(one.state_dict())
    one.update(network)
    two.update(network)
    assert torch.equal(one.network.weight, two.network.weight)
