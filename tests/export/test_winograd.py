"""Winograd's products: what they compute at any size, and where they are taken."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest
from onnx import helper

from i2i.export.rewrites import rewritten, winograd
from tests.export.graphs import RNG, kinds, model, same


def wide(padding: int, *, behind: str = "", inputs: int = 3, outputs: int = 5) -> onnx.ModelProto:
    """A 3x3 convolution with a bias, and what stands behind it."""
    constants = {"w": RNG.standard_normal((outputs, inputs, 3, 3)), "b": RNG.standard_normal(outputs)}
    constants |= {"zero": np.array([0, 0]), "one": np.array([1, 1]), "axes": np.array([2, 3])}
    constants |= {"ones": np.ones(outputs), "zeros": np.zeros(outputs)}
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[padding] * 4)]
    if behind:
        nodes += [
            helper.make_node("Slice", ["c", "zero", "one", "axes"], ["first"]),
            helper.make_node("Sub", ["c", "first"], ["less"]),
        ]
    if behind == "norm":
        nodes.append(helper.make_node("InstanceNormalization", ["less", "ones", "zeros"], ["n"], epsilon=1e-3))
    nodes.append(helper.make_node("Neg", [{"": "c", "norm": "n", "other": "less"}[behind]], ["y"]))
    return model(nodes, constants, channels=inputs)


@pytest.fixture
def small_ones(monkeypatch):
    """Convolutions of any number of planes are worth it."""
    monkeypatch.setattr(winograd, "LEAST_PLANES", 1)
    monkeypatch.setattr(winograd, "LEAST_SIDE", 1)


@pytest.mark.usefixtures("small_ones")
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("behind", ["", "norm", "other"])
def test_products_of_patches_are_the_convolution_at_any_size(padding: int, behind: str) -> None:
    before = wide(padding, behind=behind)
    after, counts = rewritten(before, even=False, sides={})
    assert counts["winograd"] == 1 and "Conv" in kinds(before)
    biased = [1, 5, 1, 1] in [list(tensor.dims) for tensor in after.graph.initializer]
    assert biased == (behind != "norm")  # which does not see it
    for height, width in itertools.product((3, 4, 5, 6, 7, 9), (3, 8, 14)):
        same(before, after, height=height, width=width)
    onnx.checker.check_model(after)


def test_the_transforms_of_a_tile_by_their_definition() -> None:
    # A^T [(G g) * (B^T d)] is the correlation of g with d, for one row.
    taps, row = RNG.standard_normal(3), RNG.standard_normal(6)
    found = winograd.OF_OUTPUT @ ((winograd.OF_TAPS @ taps) * (winograd.OF_INPUT @ row))
    assert np.allclose(found, np.correlate(row, taps, "valid"), atol=1e-12)


def test_a_convolution_of_few_planes_or_of_small_ones_stays() -> None:
    def at_side(side: int, inputs: int, outputs: int) -> int:
        made = wide(1, inputs=inputs, outputs=outputs)
        return rewritten(made, even=True, sides={"x": (side, side)})[1]["winograd"]

    assert [at_side(side, 128, 128) for side in (8, 16, 64)] == [0, 1, 1]
    assert at_side(64, 64, 128) == at_side(64, 128, 64) == 0
    assert rewritten(wide(1, inputs=128, outputs=128), even=True)[1]["winograd"] == 0  # integers multiply faster
    half = rewritten(wide(1, inputs=128, outputs=128), even=True, sides={}, half=True)
    assert "winograd" not in half[1]
