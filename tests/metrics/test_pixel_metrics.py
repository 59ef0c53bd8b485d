"""PSNR, SSIM and L1 against closed forms and an independent SSIM."""

import json
import math

import numpy as np
import pytest
import torch

from i2i.images.card import Pixels
from i2i.metrics import METRICS
from i2i.metrics.l1 import L1
from i2i.metrics.metric import gain
from i2i.metrics.psnr import Psnr
from i2i.metrics.ssim import Ssim
from i2i.metrics.suite import all_names

# the library takes the logarithm of 10 in float32
DECIBEL = 1e-5


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def score(metric, output, target):
    metric.update(output, target)
    return metric.compute()[metric.name]


def test_psnr_of_a_constant_offset_of_ten_levels_is_28_13_db():
    target = torch.full((1, 8, 9, 3), 100, dtype=torch.uint8)
    assert score(Psnr(), target + 10, target) == pytest.approx(10 * math.log10(255**2 / 100), abs=DECIBEL)


def test_psnr_is_the_mean_of_the_pictures_values_and_not_of_the_pooled_error():
    target = torch.zeros((2, 4, 4, 1), dtype=torch.uint8)
    output = torch.stack([target[0] + 1, target[0] + 100])
    expected = (10 * math.log10(255**2) + 10 * math.log10(255**2 / 100**2)) / 2
    assert score(Psnr(), output, target) == pytest.approx(expected, abs=DECIBEL)


def test_psnr_of_identical_pictures_is_100_and_valid_json():
    metric = Psnr()
    metric.update(noise(2, 5, 5, 3), noise(2, 5, 5, 3))
    assert metric.per_image() == [100.0, 100.0]
    assert json.loads(json.dumps(metric.compute(), allow_nan=False)) == {"psnr": 100.0}


def test_l1_of_black_against_white_is_one_and_of_51_levels_a_fifth():
    black = torch.zeros((1, 3, 3, 3), dtype=torch.uint8)
    assert score(L1(), black + 255, black) == 1.0
    assert score(L1(), black, black + 51) == pytest.approx(0.2, abs=1e-12)


def independent_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, window by window, of one grey picture."""
    line = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / np.outer(line, line).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11].astype(float), y[i : i + 11, j : j + 11].astype(float)
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(values))


def test_ssim_equals_the_definition_computed_window_by_window():
    target = noise(1, 14, 17, 1)
    output = ((target.float() + noise(1, 14, 17, 1, seed=1).float()) / 2).to(torch.uint8)
    expected = independent_ssim(output[0, ..., 0].numpy(), target[0, ..., 0].numpy())
    # float64 on both sides; the library forms variances by a difference of squares of up to 65025
    assert score(Ssim(), output, target) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_colour_is_the_mean_over_its_channels():
    output, target = noise(1, 12, 12, 3), noise(1, 12, 12, 3, seed=1)
    parts = [independent_ssim(output[0, ..., c].numpy(), target[0, ..., c].numpy()) for c in range(3)]
    assert score(Ssim(), output, target) == pytest.approx(np.mean(parts), abs=1e-9)


def test_ssim_of_identical_pictures_is_one():
    assert score(Ssim(), noise(1, 16, 16, 3), noise(1, 16, 16, 3)) == pytest.approx(1.0, abs=1e-9)


def test_ssim_leaves_pictures_under_11_pixels_out_of_the_mean():
    metric = Ssim()
    metric.update(noise(1, 10, 40, 3), noise(1, 10, 40, 3, seed=1))
    assert metric.per_image() == [None]
    assert metric.compute() == {}
    metric.update(noise(1, 11, 11, 3), noise(1, 11, 11, 3))
    assert metric.per_image()[0] is None
    assert metric.compute()["ssim"] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("name", list(METRICS))
def test_every_metric_is_filed_under_its_own_name(name):
    assert METRICS[name].name == name
    assert METRICS[name].higher_is_better in (True, False, None)


@pytest.mark.parametrize("name", all_names(Pixels()))
def test_every_picture_metric_refuses_floats_and_unequal_shapes(name):
    with pytest.raises(ValueError, match="uint8"):
        METRICS[name]().update(torch.zeros(1, 16, 16, 3), torch.zeros(1, 16, 16, 3))
    with pytest.raises(ValueError, match=r"\(1, 16, 16, 3\).*\(1, 16, 15, 3\)"):
        METRICS[name]().update(noise(1, 16, 16, 3), noise(1, 16, 15, 3))


def test_gain_grows_as_each_kind_of_metric_gets_better():
    assert gain(True, 2.0) > gain(True, 1.0)
    assert gain(False, 0.1) > gain(False, 0.2)
    assert gain(None, 1.0) > gain(None, 0.8)
    assert gain(None, 0.5) == gain(None, 2.0)
