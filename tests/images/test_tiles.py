"""Tiles along a side: they cover it on the grid, overlap enough, and their weights sum to 1."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from i2i.images.tiles import reflected, starts, weights


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.integers(2, 12), st.data(), st.sampled_from([1, 4, 128]))
def test_tiles_cover_every_place_on_the_grid_with_the_overlap_and_weights_sum_to_one(length, side, data, multiple):
    overlap = data.draw(st.integers(1, side - 1))
    length, side, overlap = length * multiple, side * multiple, overlap * multiple
    begins = starts(length, side=side, overlap=overlap, multiple=multiple)
    side = min(side, length)
    assert begins[0] == 0 and begins[-1] + side == length
    assert all(begin % multiple == 0 for begin in begins)
    assert all(0 < after - before <= side - overlap for before, after in itertools.pairwise(begins))
    for hard in (False, True):
        total = np.zeros(length)
        for begin, weight in zip(begins, weights(begins, side=side, overlap=overlap, hard=hard), strict=True):
            assert weight.min() >= 0
            total[begin : begin + side] += weight
        assert np.allclose(total, 1, atol=1e-6)


def test_the_outer_quarter_of_an_overlap_has_no_weight_and_the_middle_belongs_to_both():
    first, second = weights([0, 12], side=20, overlap=8)  # they share 12 .. 20
    assert first[:14].tolist() == [1] * 14 and first[18:].tolist() == [0, 0]
    assert second[:2].tolist() == [0, 0] and second[6:].tolist() == [1] * 14
    assert first[14:18].tolist() == pytest.approx([0.957, 0.684, 0.316, 0.043], abs=1e-3)  # 1 - (3 t^2 - 2 t^3)


def test_hard_weights_give_each_place_to_one_tile():
    first, second = weights([0, 12], side=20, overlap=8, hard=True)
    assert first.tolist() == [1] * 16 + [0] * 4
    assert second.tolist() == [0] * 4 + [1] * 16


@pytest.mark.parametrize(("size", "before", "length"), [(3, 2, 8), (3, 5, 11), (1, 3, 8), (4, 0, 4), (7, -3, 4)])
def test_reflection_is_the_one_of_the_models(size, before, length):
    torch = pytest.importorskip("torch")
    from i2i.weights.sizing import reflected as in_the_graph

    assert torch is not None
    whole = in_the_graph(size, before=max(before, 0), length=length - min(before, 0)).tolist()
    assert reflected(size, before=before, length=length).tolist() == whole[max(-before, 0) :][:length]
