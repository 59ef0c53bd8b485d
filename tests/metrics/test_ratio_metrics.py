"""Gradient, spectrum and checkerboard on patterns whose values are known."""

import json

import numpy as np
import pytest
import torch

from i2i.metrics.checkerboard import Checkerboard
from i2i.metrics.gradient import Gradient
from i2i.metrics.metric import luminance
from i2i.metrics.spectrum import Spectrum, power, radial_power


def grey(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.rint(values).astype(np.uint8))[None, ..., None]


def wave(cycles: float, amplitude: float, size: int = 128) -> torch.Tensor:
    """A sine across x with so many cycles per picture."""
    x = np.arange(size)
    return grey(np.tile(128 + amplitude * np.sin(2 * np.pi * cycles * x / size + 0.3), (size, 1)))


def ratio(metric, output, target) -> float:
    metric.update(output, target)
    return metric.compute()[metric.name]


def test_luminance_weighs_red_green_and_blue_by_rec_601_and_ignores_alpha():
    pixel = torch.tensor([[[[100, 50, 200, 7]]]], dtype=torch.uint8)
    expected = 0.299 * 100 + 0.587 * 50 + 0.114 * 200
    assert luminance(pixel).item() == pytest.approx(expected, abs=1e-9)
    assert luminance(pixel[..., :1]).item() == 100.0


def test_gradient_of_a_ramp_three_times_as_steep_is_three():
    ramp = np.tile(np.arange(20.0), (9, 1))
    assert ratio(Gradient(), grey(3 * ramp), grey(ramp)) == pytest.approx(3.0, abs=1e-9)


def test_gradient_of_a_diagonal_ramp_is_the_length_of_the_slope_vector():
    y, x = np.indices((10, 10))
    assert ratio(Gradient(), grey(3 * x + 4 * y), grey(1.0 * x + 0 * y)) == pytest.approx(5.0, abs=1e-9)


def test_gradient_divides_the_sums_of_the_set_and_not_the_mean_of_ratios():
    ramp = np.tile(np.arange(20.0), (9, 1))
    metric = Gradient()
    metric.update(grey(ramp), grey(ramp))
    metric.update(grey(9 * ramp), grey(3 * ramp))
    assert metric.per_image() == pytest.approx([1.0, 3.0], abs=1e-9)
    assert metric.compute()["gradient"] == pytest.approx((1 + 9) / (1 + 3), abs=1e-9)


def test_white_noise_has_its_variance_as_total_power():
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 7, (40, 64, 64)))
    # 40 pictures of 4096 values: the estimate of the variance scatters by under 1 %
    assert power(noise).sum((1, 2)).mean().item() == pytest.approx(49, rel=0.02)


def test_the_radial_power_of_a_sine_peaks_in_its_ring():
    curve = radial_power(luminance(wave(20, 40)), bins=64)[0]
    assert curve.argmax().item() == 20
    assert curve[40:].max() < 1e-3 * curve[20]


def test_spectrum_of_a_sine_in_the_band_is_the_square_of_the_amplitude_ratio():
    # rounding to whole levels moves amplitudes of 30 and 60 by well under 1 %; 23 cycles meet many phases
    assert ratio(Spectrum(), wave(23, 60), wave(23, 30)) == pytest.approx(4.0, rel=0.01)


@pytest.mark.parametrize(("cycles", "inside"), [(12, False), (20, True), (60, True)])
def test_spectrum_counts_16_to_64_cycles_of_a_128_pixel_picture(cycles, inside):
    flat = torch.full((1, 128, 128, 1), 128, dtype=torch.uint8)
    value = ratio(Spectrum(), wave(cycles, 50), flat)
    assert value > 1000 if inside else value < 10


def test_the_band_of_the_spectrum_moves_with_the_size_of_the_picture():
    flat = torch.full((1, 64, 64, 1), 128, dtype=torch.uint8)
    assert ratio(Spectrum(), wave(12, 50, size=64), flat) > 1000
    assert ratio(Spectrum(), wave(5, 50, size=64), flat) < 10


def board(amplitude: float, *, height: int = 32, width: int = 32) -> np.ndarray:
    y, x = np.indices((height, width))
    return 128 + amplitude * (1.0 - 2.0 * ((x + y) % 2))


def test_checkerboard_of_an_alternating_pattern_grows_with_the_square_of_its_amplitude():
    assert ratio(Checkerboard(), grey(board(30)), grey(board(10))) == pytest.approx(9.0, rel=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_checkerboard_sees_stripes_of_two_pixels_along_either_axis(axis):
    stripes = 128 + 20 * (1.0 - 2.0 * (np.indices((32, 32))[axis] % 2))
    flat = torch.full((1, 32, 32, 1), 128, dtype=torch.uint8)
    assert ratio(Checkerboard(), grey(stripes), flat) > 1000


def test_checkerboard_does_not_see_a_period_of_four_pixels():
    flat = torch.full((1, 128, 128, 1), 128, dtype=torch.uint8)
    assert ratio(Checkerboard(), wave(32, 60), flat) < 10


def test_checkerboard_of_an_odd_size_counts_the_even_part():
    odd = grey(board(30, height=33, width=35))
    assert ratio(Checkerboard(), odd, grey(board(10, height=33, width=35))) == pytest.approx(9.0, rel=1e-6)


@pytest.mark.parametrize("kind", [Gradient, Spectrum, Checkerboard])
def test_two_flat_pictures_score_one_and_a_flat_truth_stays_finite(kind):
    flat = torch.full((1, 16, 16, 3), 9, dtype=torch.uint8)
    assert ratio(kind(), flat, flat) == 1.0
    busy = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8))
    json.dumps(ratio(kind(), busy, flat), allow_nan=False)
    assert ratio(kind(), busy, flat) > 100


@pytest.mark.parametrize("kind", [Gradient, Spectrum, Checkerboard])
def test_a_picture_too_small_for_an_amount_is_left_out(kind):
    tiny = torch.zeros((1, 2, 40, 3), dtype=torch.uint8)
    metric = kind()
    metric.update(tiny, tiny)
    assert metric.per_image() == [None]
    assert metric.compute() == {}


@pytest.mark.parametrize("kind", [Spectrum, Checkerboard])
def test_the_floor_is_what_rounding_to_whole_levels_leaves(kind):
    # the rounding error of a smooth random picture is white with a variance of 1/12
    smooth = torch.from_numpy(np.random.default_rng(2).uniform(-0.5, 0.5, (64, 32, 32)))
    measured = kind().amount(smooth).mean().item()
    assert kind().floor(32, 32) == pytest.approx(measured, rel=0.05)
