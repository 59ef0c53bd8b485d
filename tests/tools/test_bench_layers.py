"""The bench of single layers: what it counts, and that both forms run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import bench_layers
from bench_layers import Layer


@pytest.mark.parametrize(("side", "times"), [(1, 4.0), (2, 2.25), (4, 1.5625)])
def test_a_small_layer_multiplies_at_one_place_more_on_each_side(side: int, times: float) -> None:
    assert bench_layers.multiplied(Layer(512, 512, side)) == pytest.approx(times)


def test_taps_of_zero_and_planes_that_fill_a_block_count() -> None:
    assert bench_layers.multiplied(Layer(8, 64, 128, 3, 1)) == pytest.approx(16 / 9)
    assert bench_layers.multiplied(Layer(8, 3, 128)) == pytest.approx(16 / 12 * (129 / 128) ** 2)


def test_every_form_computes_the_same_and_is_timed_as_often() -> None:
    layer = Layer(16, 16, 4, 3, 1)
    planes = np.random.default_rng(0).normal(size=(1, 16, 4, 4)).astype(np.float32)
    one, *others = (ReferenceEvaluator(made).run(None, {"x": planes})[0] for made in bench_layers.forms(layer))
    assert all(np.allclose(one, other, atol=1e-5) for other in others)
    found = bench_layers.times(layer, rounds=2, threads=1)
    assert [len(each) for each in found] == [2] * len(bench_layers.FORMS)
    assert min(map(min, found)) > 0
