"""Overlap of ink against numbers by hand."""

from __future__ import annotations

import pytest
import torch

from i2i.metrics.ink_iou import InkIoU


def pictures(*rows: list[int]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.uint8)[:, None, :, None]


def test_it_is_the_shared_ink_over_all_ink_of_each_picture_and_their_mean() -> None:
    metric = InkIoU()
    metric.update(pictures([0, 0, 255, 255], [127, 128, 255, 255]), pictures([255, 0, 0, 255], [0, 255, 255, 255]))
    # One of three places is ink in both; 127 is ink and 128 is paper, so the second pair is the same.
    assert metric.per_image() == [pytest.approx(1 / 3), 1.0]
    assert metric.compute() == {"ink_iou": pytest.approx(2 / 3)}


def test_two_blank_pictures_have_no_value_and_one_blank_has_none_in_common() -> None:
    metric = InkIoU()
    blank, full = pictures([255, 255]), pictures([0, 0])
    metric.update(torch.cat((blank, blank)), torch.cat((blank, full)))
    assert metric.per_image() == [None, 0.0]
    assert metric.compute() == {"ink_iou": 0.0}
    assert InkIoU().compute() == {}
