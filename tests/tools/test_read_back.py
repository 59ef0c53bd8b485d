"""The judge of class-conditional generators: its measures by hand, and the whole of it on tiny parts."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import read_back

from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks.mlp import MLP
from i2i.runtime.sampler import Sampler
from i2i.weights.session import TorchSession

TWO = np.array([0, 0, 1, 1])


def test_spread_is_the_mean_distance_within_domains() -> None:
    points = np.array([[0, 0], [3, 4], [0, 0], [0, 1]], dtype=np.float32)
    assert read_back.spread(points, TWO) == pytest.approx((5 + 1) / 2)


def test_a_picture_belongs_to_the_nearest_mean() -> None:
    learnt = np.array([[0], [2], [10], [12]], dtype=np.float32)  # means 1 and 11
    seen = np.array([[5], [7], [5.9], [6.1]], dtype=np.float32)
    assert read_back.by_means(learnt, TWO, seen, TWO) == pytest.approx(2 / 4)


@pytest.fixture
def sampler() -> Sampler:
    """Noise and two domains to grey pictures of one pixel that are dark in the first and bright in the second."""
    network = MLP(in_channels=3, out_channels=1, size=1, channels=1, layers=1, hidden="relu")
    with torch.no_grad():
        network.hidden[0].weight.copy_(torch.tensor([[0.2, 0.0, 2.0]]))  # type: ignore[union-attr, operator]
        network.hidden[0].bias.zero_()  # type: ignore[union-attr, operator]
        network.last.weight.fill_(1.0)
        network.last.bias.fill_(-1.0)
    card = ImageCard(
        name="two",
        target=Pixels(colour="gray"),
        sizing=Sizing(rule="fixed", width=1, height=1),
        condition=Condition(kind="domains", names=("dark", "bright")),
        latent=1,
        network=NetworkSpec(type="mlp"),
        method="cgan",
    )
    return Sampler(TorchSession(network, card))


def test_samples_that_are_as_asked_are_read_and_teach(sampler: Sampler, tmp_path: Path) -> None:
    for split in ("train", "test"):
        for domain, levels in (("dark", (0, 20, 40)), ("bright", (215, 235, 255))):
            (tmp_path / split / domain).mkdir(parents=True)
            for level in levels:
                Image.new("L", (1, 1), level).save(tmp_path / split / domain / f"{level}.png")
    found = read_back.judged(sampler, tmp_path, count=20, seed=0)
    assert {name: found[name] for name in ("read", "teach", "real_teach", "means_teach")} == {
        "read": 1.0,
        "teach": 1.0,
        "real_teach": 1.0,
        "means_teach": 1.0,
    }
    assert 0 < found["spread"] < math.inf


def test_as_many_samples_of_every_domain_are_asked_for(sampler: Sampler) -> None:
    samples, asked = read_back.made(sampler, 10, 0)
    assert asked.tolist() == [0] * 10 + [1] * 10
    assert samples[:10].max() < 0.5 < samples[10:].min()
