"""What is looked at during training: the grid and the metrics of fixed pairs, as the shipped model would translate."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from i2i.evaluation.grids import GAP, HEADER
from i2i.evaluation.monitor import PairedMonitor
from i2i.images.card import ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks.unet import UNet
from i2i.runtime.translator import Translator
from i2i.weights.session import TorchSession

CARD = ImageCard(name="tiny", network=NetworkSpec(type="unet"), method="pix2pix", sizing=Sizing(multiple=8, minimum=8))


def network(seed: int = 0, **options: int) -> nn.Module:
    torch.manual_seed(seed)
    return UNet(channels=4, depth=3, **options)


def pairs(count: int, *, height: int = 13, width: int = 18) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (count, 2, height, width, 3), np.uint8)
    return [(source, target) for source, target in pictures]


def test_the_grid_shows_source_output_and_target_of_the_first_pairs() -> None:
    looked_at = pairs(5)
    generator = network()
    pixels = PairedMonitor(looked_at, cards={"a2b": CARD}, shown=2).sample({"a2b": generator})
    assert pixels.shape == (HEADER + 2 * (13 + GAP) + GAP, 3 * (18 + GAP) + GAP, 3)
    assert pixels.dtype == np.uint8
    translate = Translator(TorchSession(generator, CARD))
    for row, (source, target) in enumerate(looked_at[:2]):
        for column, picture in enumerate((source, translate(source), target)):
            top, left = HEADER + GAP + row * (13 + GAP), GAP + column * (18 + GAP)
            assert np.array_equal(pixels[top : top + 13, left : left + 18], picture), (row, column)


def test_fewer_pairs_than_are_shown_give_fewer_rows() -> None:
    pixels = PairedMonitor(pairs(1), cards={"a2b": CARD}, shown=6).sample({"a2b": network()})
    assert pixels.shape[0] == HEADER + 13 + 2 * GAP


def test_the_metrics_are_those_of_the_translated_pictures_one_by_one() -> None:
    looked_at = [*pairs(3), *pairs(2, height=16, width=24)]
    generator = network()
    found = PairedMonitor(looked_at, cards={"a2b": CARD}, metrics=["psnr", "l1"], shown=1).measure({"a2b": generator})
    translate = Translator(TorchSession(generator, CARD))
    apart = [(translate(source).astype(float) - target) / 255 for source, target in looked_at]
    psnr = [-10 * np.log10((difference**2).mean()) for difference in apart]
    # float32 sums over a few hundred values
    assert found["psnr"] == pytest.approx(np.mean(psnr), abs=1e-4)
    assert found["l1"] == pytest.approx(np.mean([np.abs(difference).mean() for difference in apart]), abs=1e-6)
    assert set(found) == {"psnr", "l1"}


def test_measuring_twice_gives_the_same_and_another_network_something_else() -> None:
    monitor = PairedMonitor(pairs(2), cards={"a2b": CARD}, metrics=["l1"])
    first = monitor.measure({"a2b": network()})
    assert monitor.measure({"a2b": network()}) == first
    assert monitor.measure({"a2b": network(seed=1)}) != first


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["fp32", "fp64"])
def test_looking_changes_nothing_about_the_network(mode: bool, dtype: torch.dtype) -> None:
    generator = network().to(dtype).train(mode)
    before = copy.deepcopy(generator.state_dict())
    modes = {name: module.training for name, module in generator.named_modules()}
    monitor = PairedMonitor(pairs(2), cards={"a2b": CARD}, metrics=["l1"])
    monitor.sample({"a2b": generator})
    monitor.measure({"a2b": generator})
    assert {name: module.training for name, module in generator.named_modules()} == modes
    after = generator.state_dict()
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        assert after[name].dtype == tensor.dtype
        assert torch.equal(after[name], tensor), name
    assert all(parameter.requires_grad for parameter in generator.parameters())


def test_looking_draws_no_random_numbers() -> None:
    generator = network().train()
    before = torch.get_rng_state()
    PairedMonitor(pairs(1), cards={"a2b": CARD}, metrics=["l1"]).measure({"a2b": generator})
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_in_double_precision_is_looked_at_as_it_would_be_shipped() -> None:
    generator = network()
    monitor = PairedMonitor(pairs(2), cards={"a2b": CARD}, metrics=["psnr"])
    single = (monitor.sample({"a2b": generator}), monitor.measure({"a2b": generator}))
    double = (monitor.sample({"a2b": generator.double()}), monitor.measure({"a2b": generator}))
    assert np.array_equal(single[0], double[0])
    assert single[1] == double[1]


def test_the_first_of_several_generators_is_looked_at() -> None:
    monitor = PairedMonitor(pairs(1), cards={"a2b": CARD}, metrics=["l1"])
    one, two = network(), network(seed=1)
    assert monitor.measure({"a2b": one, "b2a": two}) == monitor.measure({"a2b": one})


def test_examples_are_outputs_of_a_few_sources_beside_their_targets_and_the_middle_of_large_ones() -> None:
    looked_at = [*pairs(1, height=300, width=261), *pairs(5)]
    generator = network().train()
    outputs, targets = PairedMonitor(looked_at, cards={"a2b": CARD}).examples({"a2b": generator})
    assert generator.training
    assert len(outputs) == len(targets) == 4
    assert outputs[0].shape == targets[0].shape == (128, 128, 3)
    assert np.array_equal(targets[0], looked_at[0][1][86:214, 66:194])
    translate = Translator(TorchSession(generator, CARD))
    assert np.array_equal(outputs[0], translate(looked_at[0][0][86:214, 66:194]))
    assert np.array_equal(outputs[1], translate(looked_at[2][0]))
    resized = CARD.model_copy(update={"sizing": Sizing(rule="resize", multiple=8, minimum=8, width=16, height=16)})
    outputs, _ = PairedMonitor(looked_at, cards={"a2b": resized}).examples({"a2b": generator})
    assert outputs[0].shape == (300, 261, 3)


def test_label_maps_are_scored_as_label_maps() -> None:
    palette = ((0, 0, 0), (255, 0, 0))
    target = Pixels(colour="labels", palette=palette)
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, (8, 8))
    pair = (rng.integers(0, 256, (8, 8, 3), np.uint8), np.array(palette, np.uint8)[classes])
    card = CARD.model_copy(update={"target": target})
    generator = network(out_channels=2)
    found = PairedMonitor([pair], cards={"a2b": card}).measure({"a2b": generator})
    output = TorchSession(generator, card).run(pair[0][None])[0]
    assert found["accuracy"] == pytest.approx((output == pair[1]).all(axis=2).mean())
    assert set(found) == {"accuracy", "mean_iou"}
