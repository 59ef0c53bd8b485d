"""What is looked at while a generator from noise learns: a sheet of fixed noise, and the distance to real pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from i2i.errors import I2IError
from i2i.evaluation.grids import GAP, HEADER, PAPER, sheet
from i2i.evaluation.samples import SampleMonitor
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.metrics.kid import kernel_distance
from i2i.metrics.suite import Suite
from i2i.networks.mlp import MLP
from i2i.runtime.conditions import drawn
from i2i.runtime.sampler import noise
from i2i.weights.session import TorchSession

CARD = ImageCard(
    name="tiny", network=NetworkSpec(type="mlp"), method="gan", latent=5, sizing=Sizing(rule="fixed", width=8, height=8)
)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return MLP(in_channels=5, out_channels=3, size=8, channels=16)


def real(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(1).integers(0, 256, (count, 8, 8, 3), np.uint8))


def corners(pixels: torch.Tensor) -> torch.Tensor:
    """A feature network of two numbers: the first and the last red value."""
    return pixels[:, [0, -1], [0, -1], 0].float() / 255


def monitor(count: int = 6, **options: Any) -> SampleMonitor:
    return SampleMonitor(real(count), cards={"sample": CARD}, features=corners, **options)


def test_the_sheet_shows_pictures_of_the_same_noise_every_time() -> None:
    generator = network()
    pixels = monitor(shown=5).sample({"sample": generator})
    made = TorchSession(generator, CARD).run(noise(5, 5, seed=0))
    side = 8 + GAP
    assert pixels.shape == (2 * side + GAP, 3 * side + GAP, 3)
    for number, picture in enumerate(made):
        top, left = GAP + number // 3 * side, GAP + number % 3 * side
        assert np.array_equal(pixels[top : top + 8, left : left + 8], picture)
    assert (pixels[GAP + side :, GAP + 2 * side :] == PAPER).all()
    assert np.array_equal(monitor(shown=5).sample({"sample": generator}), pixels)


def test_large_pictures_make_a_sheet_of_fewer() -> None:
    large = SampleMonitor([np.zeros((512, 300, 3), np.uint8)], cards={"sample": CARD})
    assert large.sample({"sample": network()}).shape == (2 * (8 + GAP) + GAP, 2 * (8 + GAP) + GAP, 3)


def test_the_distance_is_that_of_as_many_made_pictures_to_the_real_ones() -> None:
    generator = network()
    found = monitor(metrics=["kid"]).measure({"sample": generator})
    made = torch.from_numpy(TorchSession(generator, CARD).run(noise(6, 5, seed=0)))
    expected = kernel_distance(corners(made), corners(torch.from_numpy(np.stack(real(6)))))
    assert found == {"kid": pytest.approx(expected)}
    assert monitor(metrics=["kid"]).measure({"sample": network(seed=1)}) != found


def test_examples_are_pictures_of_the_same_noise_every_time_beside_real_ones() -> None:
    generator = network()
    outputs, pictures = monitor(20).examples({"sample": generator})
    assert np.array_equal(outputs, TorchSession(generator, CARD).run(noise(16, 5, seed=0)))
    rows = [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 18, 19]  # of every kind that a sorted folder holds
    assert np.array_equal(pictures, [real(20)[row] for row in rows])
    assert len(monitor(3).examples({"sample": generator})[1]) == 3


def told(condition: Condition) -> tuple[ImageCard, nn.Module]:
    """The card and the network of a generator that is told what to make."""
    torch.manual_seed(0)
    wide = MLP(in_channels=5 + len(condition.names), out_channels=3, size=8, channels=16)
    return CARD.model_copy(update={"condition": condition}), wide


def test_the_sheet_of_domains_has_a_column_for_each_and_the_same_noise_along_a_row() -> None:
    card, generator = told(Condition(kind="domains", names=("a", "b", "c")))
    looked = SampleMonitor(real(6), cards={"sample": card}, features=corners, shown=7)
    pixels, side = looked.sample({"sample": generator}), 8 + GAP
    assert pixels.shape == (HEADER + 2 * side + GAP, 3 * side + GAP, 3)  # 7 have room for 2 rows of 3
    for column in range(3):
        made = TorchSession(generator, card).run(noise(2, 5, seed=0), domain=np.full(2, column))
        for row, picture in enumerate(made):
            top, left = HEADER + GAP + row * side, GAP + column * side
            assert np.array_equal(pixels[top : top + 8, left : left + 8], picture)


def test_a_sheet_of_many_domains_shows_the_first() -> None:
    card, generator = told(Condition(kind="domains", names=tuple(f"d{number}" for number in range(9))))
    looked = SampleMonitor(real(6), cards={"sample": card}, features=corners, shown=4)
    assert looked.sample({"sample": generator}).shape == (HEADER + 8 + 2 * GAP, 4 * (8 + GAP) + GAP, 3)


@pytest.mark.parametrize(
    "condition",
    [
        Condition(kind="domains", names=("a", "b", "c")),
        Condition(kind="attributes", names=("age", "tilt"), ranges=((0, 9), (-1, 1))),
    ],
    ids=lambda condition: condition.kind,
)
def test_what_is_measured_are_pictures_of_drawn_conditions(condition: Condition) -> None:
    card, generator = told(condition)
    looked = SampleMonitor(real(6), cards={"sample": card}, features=corners, metrics=["kid"])
    wanted = drawn(card, 6, seed=0)
    made = TorchSession(generator, card).run(noise(6, 5, seed=0), domain=wanted.domain, condition=wanted.condition)
    expected = kernel_distance(corners(torch.from_numpy(made)), corners(torch.from_numpy(np.stack(real(6)))))
    assert looked.measure({"sample": generator}) == {"kid": pytest.approx(expected)}


def test_the_sheet_of_attributes_shows_drawn_ones() -> None:
    card, generator = told(Condition(kind="attributes", names=("age", "tilt"), ranges=((0, 9), (-1, 1))))
    looked = SampleMonitor(real(6), cards={"sample": card}, features=corners, shown=4)
    made = TorchSession(generator, card).run(noise(4, 5, seed=0), condition=drawn(card, 4, seed=0).condition)
    assert np.array_equal(looked.sample({"sample": generator}), sheet(list(made)))


def test_amounts_summed_over_sets_are_measured() -> None:
    generator = network()
    found = monitor(metrics=["gradient"]).measure({"sample": generator})
    suite = Suite(["gradient"], pixels=CARD.target)
    made = torch.from_numpy(TorchSession(generator, CARD).run(noise(6, 5, seed=0)))
    suite.update(made, torch.from_numpy(np.stack(real(6))))
    assert found == suite.compute()


def test_metrics_that_need_an_answer_are_refused() -> None:
    with pytest.raises(I2IError, match=r"training\.metrics: psnr, l1 compares a picture with its answer") as caught:
        monitor(metrics=["psnr", "kid", "l1"])
    assert caught.value.code == "E_RECIPE"


def test_label_maps_are_looked_at_without_a_metric() -> None:
    labels = CARD.model_copy(update={"target": Pixels(colour="labels", palette=((0, 0, 0), (9, 9, 9), (255, 0, 0)))})
    looked = SampleMonitor(real(2), cards={"sample": labels})
    assert looked.measure({"sample": network()}) == {}
    assert looked.sample({"sample": network()}).shape[2] == 3


def test_looking_draws_no_random_numbers_and_leaves_the_mode() -> None:
    generator = network().train()
    before = torch.get_rng_state()
    monitor().sample({"sample": generator})
    assert torch.equal(torch.get_rng_state(), before)
    assert generator.training


def test_a_sheet_without_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        sheet([])
