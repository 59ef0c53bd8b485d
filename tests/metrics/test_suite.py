"""Several metrics at once."""

import numpy as np
import pytest
import torch

from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.metrics.suite import PICTURES, Suite, default_names

LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 255, 255)))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def test_the_default_metrics_depend_on_whether_the_pictures_are_label_maps():
    assert default_names(Pixels()) == PICTURES
    assert default_names(LABELS) == ("accuracy", "mean_iou")


def test_a_suite_computes_each_metric_over_all_batches():
    suite = Suite(pixels=Pixels(colour="gray"))
    suite.update(noise(2, 16, 16, 1), noise(2, 16, 16, 1, seed=1))
    suite.update(noise(1, 12, 20, 1), noise(1, 12, 20, 1, seed=1))
    assert tuple(suite.compute()) == PICTURES
    assert {name: len(values) for name, values in suite.per_image().items()} == dict.fromkeys(PICTURES, 3)


def test_a_suite_of_label_metrics_takes_the_palette():
    suite = Suite(pixels=LABELS)
    suite.update(*[torch.zeros((1, 2, 2, 3), dtype=torch.uint8)] * 2)
    assert suite.compute() == {"accuracy": 1.0, "mean_iou": 1.0}


def test_named_metrics_come_in_the_order_asked_and_once():
    assert list(Suite(["l1", "psnr", "l1"], pixels=Pixels()).metrics) == ["l1", "psnr"]


def test_kid_has_no_values_of_single_pictures():
    suite = Suite(["kid", "l1"], pixels=Pixels(), features=lambda pixels: pixels.flatten(1).float())
    suite.update(noise(3, 4, 4, 3), noise(3, 4, 4, 3, seed=1))
    assert list(suite.compute()) == ["kid", "l1"]
    assert list(suite.per_image()) == ["l1"]


def test_metrics_of_features_share_one_pass_of_the_network_over_each_picture():
    seen = []

    def features(pixels: torch.Tensor) -> torch.Tensor:
        seen.append(len(pixels))
        return pixels.flatten(1).float()

    suite = Suite(["kid", "top1", "top5"], pixels=Pixels(), features=features)
    batch = noise(3, 4, 4, 3)
    suite.update(batch, noise(3, 4, 4, 3, seed=1))
    batch[:] = 7  # the same tensor with other pictures in it
    suite.update(batch, noise(3, 4, 4, 3, seed=2))
    assert seen == [3, 3, 3, 3]
    assert list(suite.compute()) == ["kid", "top1", "top5"]
    assert suite.metrics["top1"].gathered()[0][-1].unique().tolist() == [7]


def test_an_unknown_metric_names_the_nearest_one():
    with pytest.raises(I2IError, match="did you mean 'psnr'"):
        Suite(["psnrr"], pixels=Pixels())


def test_a_metric_of_label_maps_is_refused_for_pictures_and_the_other_way_round():
    with pytest.raises(I2IError, match="accuracy scores label maps, these are rgb; use psnr"):
        Suite(["accuracy"], pixels=Pixels())
    with pytest.raises(I2IError, match="psnr scores pictures, these are labels; use accuracy, mean_iou"):
        Suite(["psnr"], pixels=LABELS)
