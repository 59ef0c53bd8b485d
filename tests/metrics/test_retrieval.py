"""Retrieval against ranks counted by hand, and against identity."""

import pytest
import torch

from i2i.metrics.retrieval import Top1, Top5, ranks


def corner(pixels: torch.Tensor) -> torch.Tensor:
    """The colour of the first pixel as features."""
    return pixels[:, 0, 0].float()


def pictures(*colours: tuple[int, int, int]) -> torch.Tensor:
    return torch.tensor(colours, dtype=torch.uint8)[:, None, None, :].expand(-1, 2, 2, -1).contiguous()


RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def test_the_rank_is_how_many_other_truths_are_more_alike():
    truths = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    outputs = torch.tensor([[0.1, 1.0], [1.0, 0.9], [1.0, 0.4]])
    assert ranks(outputs, truths).tolist() == [2, 0, 2]


def test_length_of_features_says_nothing_and_equal_truths_count_for_each_other():
    truths = torch.tensor([[0.1, 0.2], [0.3, 0.6], [1.0, 0.0]])
    assert ranks(truths.flip(0)[[2, 1, 0]] * 7, truths).tolist() == [0, 0, 0]


def test_top1_is_the_share_that_finds_its_truth():
    metric = Top1(features=corner)
    metric.update(pictures(RED, BLUE), pictures(RED, GREEN))
    metric.update(pictures(GREEN), pictures(BLUE))
    assert metric.per_image() == [1.0, 0.0, 0.0]
    assert metric.compute() == {"top1": pytest.approx(1 / 3)}


def test_a_truth_in_fifth_place_counts_and_one_in_sixth_does_not():
    angles = torch.arange(7) * 0.2
    features = torch.stack((angles.cos(), angles.sin()), 1)
    outputs = features[0].expand(7, -1)
    places = {0: 1.0, 4: 1.0, 5: 0.0, 6: 0.0}
    numbers = iter((outputs, features))
    metric = Top5(features=lambda pixels: next(numbers))
    metric.update(pictures(*[RED] * 7), pictures(*[RED] * 7))
    hits = metric.per_image()
    assert {index: hits[index] for index in places} == places


def test_retrieval_among_fewer_than_two_truths_is_undefined():
    metric = Top1(features=corner)
    assert metric.compute() == {}
    metric.update(pictures(RED), pictures(RED))
    assert metric.compute() == {}
    assert metric.per_image() == [None]
