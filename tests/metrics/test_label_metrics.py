"""Pixel accuracy and mean IoU of label maps, counted by hand."""

import numpy as np
import pytest
import torch

from i2i.errors import I2IError
from i2i.metrics.accuracy import Accuracy
from i2i.metrics.mean_iou import MeanIoU

PALETTE = ((0, 0, 0), (255, 0, 0), (0, 0, 255))


def paint(classes: list[list[int]]) -> torch.Tensor:
    return torch.from_numpy(np.array(PALETTE, np.uint8)[np.array(classes)])[None]


def test_accuracy_is_the_share_of_right_pixels_averaged_over_pictures():
    metric = Accuracy(palette=PALETTE)
    metric.update(paint([[0, 1], [1, 1]]), paint([[0, 1], [1, 2]]))
    metric.update(paint([[0, 0]]), paint([[1, 0]]))
    assert metric.per_image() == [0.75, 0.5]
    assert metric.compute() == {"accuracy": 0.625}


def test_mean_iou_is_counted_over_the_whole_set():
    metric = MeanIoU(palette=PALETTE)
    metric.update(paint([[0, 1], [1, 1]]), paint([[0, 1], [1, 2]]))
    metric.update(paint([[0, 0]]), paint([[1, 0]]))
    # class 0: 2 of 3; class 1: 2 of 4 (one taken for 2's pixel, one missed); class 2: 0 of 1
    assert metric.compute()["mean_iou"] == pytest.approx((2 / 3 + 2 / 4 + 0 / 1) / 3, abs=1e-12)
    # first picture: 1/1, 2/3, 0/1; second: class 0 1/2, class 1 0/1, class 2 absent
    assert metric.per_image() == pytest.approx([(1 + 2 / 3 + 0) / 3, (1 / 2 + 0) / 2], abs=1e-12)


def test_a_class_that_nobody_shows_is_left_out():
    metric = MeanIoU(palette=PALETTE)
    metric.update(paint([[0, 0]]), paint([[0, 0]]))
    assert metric.compute() == {"mean_iou": 1.0}
    assert MeanIoU(palette=PALETTE).compute() == {}


@pytest.mark.parametrize("kind", [Accuracy, MeanIoU])
def test_a_colour_outside_the_palette_is_refused_by_its_value(kind):
    stray = paint([[0, 1]])
    stray[0, 0, 1] = torch.tensor([9, 8, 7], dtype=torch.uint8)
    with pytest.raises(I2IError, match=r"\(9, 8, 7\) is not in the palette") as caught:
        kind(palette=PALETTE).update(stray, paint([[0, 1]]))
    assert caught.value.code == "E_PALETTE"
