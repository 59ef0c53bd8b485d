"""The colour map baselines on data that they can reproduce exactly, and their figures on the bundled tiles."""

from pathlib import Path

import numpy as np
import pytest

from i2i.data.paired import find_pairs
from i2i.errors import I2IError
from i2i.evaluation.baselines import BASELINES, fit, linear, quadratic
from i2i.evaluation.evaluate import evaluate, read_samples
from i2i.images.card import Pixels
from i2i.metrics.suite import Suite

EARTH = Path(__file__).parent.parent / "data/earth"


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def rounded(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def test_the_features_are_one_the_channels_and_their_products_of_two():
    pixel = np.array([[2.0, 3.0, 5.0]])
    assert linear(pixel).tolist() == [[1, 2, 3, 5]]
    assert quadratic(pixel).tolist() == [[1, 2, 3, 5, 4, 6, 10, 9, 15, 25]]


def test_the_mean_colour_is_the_mean_over_all_pixels_of_all_targets():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 6, 3), 200, np.uint8)
    output = fit([(black, black), (white, white)])["mean colour"](noise(3, 5, 3))
    assert output.shape == (3, 5, 3)
    assert (output == 150).all()


def test_a_linear_map_of_colours_is_found_from_its_examples():
    matrix = np.array([[0.5, 0.1, 0.0], [0.2, 0.3, 0.1], [0.0, 0.2, 0.6]])
    source, unseen = noise(40, 40, 3), noise(10, 10, 3, seed=1)
    output = fit([(source, rounded(source @ matrix + 20))])["linear map"](unseen)
    # the examples are rounded to whole levels, so a value near a half may round to the other side
    assert np.abs(output.astype(int) - rounded(unseen @ matrix + 20)).max() <= 1


def test_a_quadratic_map_follows_what_a_linear_one_cannot():
    def squared(picture: np.ndarray) -> np.ndarray:
        return rounded(picture.astype(float) ** 2 / 255)

    source, unseen = noise(40, 40, 3), noise(10, 10, 3, seed=1)
    maps = fit([(source, squared(source))])
    errors = {name: np.abs(maps[name](unseen).astype(int) - squared(unseen)).max() for name in maps}
    assert errors["quadratic map"] <= 1
    assert errors["linear map"] > 20


def test_channels_may_differ_in_number_and_depend_on_each_other():
    grey = noise(16, 16, 1)
    maps = fit([(np.repeat(grey, 3, axis=2), 255 - grey)])
    for name in ("linear map", "quadratic map"):
        output = maps[name](np.repeat(grey, 3, axis=2))
        assert output.shape == (16, 16, 1)
        assert (output == 255 - grey).all()


def test_every_baseline_is_fitted_and_none_without_pairs():
    assert list(fit([(noise(4, 4, 3), noise(4, 4, 3))])) == list(BASELINES)
    with pytest.raises(I2IError, match="training pair"):
        fit([])


def test_the_baselines_reach_their_known_figures_on_the_bundled_tiles():
    pixels = Pixels()
    train, test = (find_pairs(EARTH, split=split, source="satellite", target="relief") for split in ("train", "test"))
    maps = fit((sample.source, sample.target) for sample in read_samples(train, source=pixels, target=pixels))
    samples = list(read_samples(test, source=pixels, target=pixels))
    scores = {
        name: evaluate(maps[name], samples, suite=Suite(["psnr"], pixels=pixels)).metrics["psnr"] for name in maps
    }
    # known from an independent fit, to one decimal
    assert scores == pytest.approx({"mean colour": 18.9, "linear map": 21.6, "quadratic map": 23.3}, abs=0.05)
