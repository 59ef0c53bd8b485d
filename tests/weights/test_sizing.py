"""Sizing: padding by repeated reflection, resizing, refusing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st

from i2i.errors import I2IError
from i2i.images.card import Sizing
from i2i.weights import sizing as under_test
from i2i.weights.sizing import Fitted, padded, reflected, resize, resize_weights, restore


def fit(planes: torch.Tensor, sizing: Sizing) -> Fitted:
    """Planes (N, C, H, W) that come as the picture that they are."""
    return under_test.fit(planes.permute(0, 2, 3, 1), sizing, lambda picture: picture.permute(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("size", "before", "length", "expected"),
    [
        (3, 2, 8, [2, 1, 0, 1, 2, 1, 0, 1]),
        (3, 5, 11, [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1]),
        (2, 1, 5, [1, 0, 1, 0, 1]),
        (1, 3, 8, [0] * 8),
        (4, 0, 4, [0, 1, 2, 3]),
    ],
)
def test_reflection_repeats_without_doubling_the_edge(size, before, length, expected):
    assert reflected(size, before=before, length=length).tolist() == expected


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.data())
def test_a_reflection_shorter_than_the_side_is_the_one_that_torch_pads(size, data):
    before, behind = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    row = torch.arange(size, dtype=torch.float32).reshape(1, 1, size)
    expected = F.pad(row, (before, behind), mode="reflect").flatten()
    assert reflected(size, before=before, length=before + size + behind).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("length", "multiple", "minimum", "expected"),
    [(1, 8, 1, 8), (8, 8, 1, 8), (9, 8, 1, 16), (3, 8, 20, 24), (30, 8, 20, 32), (7, 1, 1, 7), (2, 1, 5, 5)],
)
def test_padding_goes_to_the_next_multiple_that_is_large_enough(length, multiple, minimum, expected):
    assert padded(length, Sizing(multiple=multiple, minimum=minimum)) == expected


def test_padding_is_split_evenly_with_the_odd_pixel_behind():
    fitted = fit(torch.tensor([[[[1.0, 2.0, 3.0]]]]), Sizing(multiple=8))
    assert fitted.planes.shape == (1, 1, 8, 8)
    assert fitted.planes[0, 0, 0].tolist() == [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0]
    assert (fitted.top, fitted.left) == (3, 2)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 17), st.integers(1, 30), st.integers(1, 3))
@example(1, 1, 16, 1, 1)
@example(7, 200, 8, 1, 2)
def test_cropping_back_gives_the_picture_itself(height, width, multiple, minimum, scale):
    planes = torch.rand(2, 3, height, width)
    sizing = Sizing(multiple=multiple, minimum=minimum)
    fitted = fit(planes, sizing)
    tall, wide = fitted.planes.shape[2:]
    assert tall % multiple == 0 and wide % multiple == 0 and min(tall, wide) >= minimum
    enlarged = fitted.planes.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    expected = planes.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    assert torch.equal(restore(enlarged, fitted, sizing, scale=scale), expected)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 9), (64, 48), (20, 32), (7, 200)])
def test_resizing_is_torchs_antialiased_bilinear(height, width):
    planes = torch.rand(2, 3, height, width)
    expected = F.interpolate(planes, size=(20, 32), mode="bilinear", antialias=True, align_corners=False)
    # sums of up to 13 x 26 products of numbers below 1 in float32
    assert torch.allclose(resize(planes, height=20, width=32), expected, atol=2e-6)


def test_halving_weighs_neighbours_by_a_triangle_that_sums_to_one():
    # The new pixel's centre lies between two old ones, its triangle is 4 wide: 1/8 3/8 3/8 1/8, cut off at the ends.
    weights = resize_weights(4, 2)
    assert torch.allclose(weights, torch.tensor([[3, 3, 1, 0], [0, 1, 3, 3]]) / 7, atol=1e-6)


def test_resizing_comes_back_to_the_size_that_came_times_the_scale():
    sizing = Sizing(rule="resize", width=12, height=8)
    fitted = fit(torch.full((1, 2, 5, 30), 0.25), sizing)
    assert fitted.planes.shape == (1, 2, 8, 12)
    back = restore(fitted.planes.repeat_interleave(2, 2).repeat_interleave(2, 3), fitted, sizing, scale=2)
    assert back.shape == (1, 2, 10, 60)
    assert torch.allclose(back, torch.full_like(back, 0.25), atol=1e-6)


def test_a_fixed_size_is_taken_and_any_other_refused_with_the_size_it_takes():
    sizing = Sizing(rule="fixed", width=12, height=8)
    planes = torch.rand(1, 3, 8, 12)
    fitted = fit(planes, sizing)
    assert torch.equal(restore(fitted.planes, fitted, sizing), planes)
    with pytest.raises(I2IError, match=r"takes pictures of 12 x 8 pixels .* got 8 x 12") as caught:
        fit(torch.rand(1, 3, 12, 8), sizing)
    assert caught.value.code == "E_SIZE"
