"""Pictures to planes and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.weights.pixels import check_palette, decode, encode

PALETTE = ((0, 0, 0), (255, 0, 0), (0, 0, 255))
LABELS = Pixels(colour="labels", palette=PALETTE)


@pytest.mark.parametrize(("colour", "channels"), [("gray", 1), ("rgb", 3), ("rgba", 4)])
@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0)])
def test_every_level_survives_the_way_in_and_out(colour, channels, value_range):
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).repeat(1, 1, 1, channels)
    pixels = Pixels(colour=colour)
    assert torch.equal(decode(encode(levels, pixels, value_range), pixels, value_range), levels)


def test_black_and_white_become_the_ends_of_the_range_and_channels_become_planes():
    image = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)  # one pixel
    planes = encode(image, Pixels(), (-1.0, 1.0))
    assert planes.shape == (1, 3, 1, 1) and planes.dtype == torch.float32
    # 51 is a fifth of 255: -1 + 2 / 5; one unit in the last place of float32 near 1 is 6e-8
    assert planes.flatten().tolist() == pytest.approx([-1.0, 1.0, -0.6], abs=1e-7)


def test_values_outside_the_range_are_clamped_and_halves_go_to_the_even_level():
    # In the range 0..255 a plane's value is the level itself.
    planes = torch.tensor([-3.0, 0.5, 1.5, 2.5, 254.5, 300.0]).reshape(1, 1, 1, 6)
    levels = decode(planes, Pixels(colour="gray"), (0.0, 255.0))
    assert levels.dtype == torch.uint8
    assert levels.flatten().tolist() == [0, 0, 2, 2, 254, 255]


def test_half_precision_planes_are_decoded_in_single_precision():
    # -0.490234375 is exact in bfloat16: (1 - 0.490234375) * 127.5 = 64.995, but 64.75 or less in bfloat16 steps
    planes = torch.full((1, 1, 1, 1), -0.490234375, dtype=torch.bfloat16)
    assert decode(planes, Pixels(colour="gray"), (-1.0, 1.0)).item() == 65


def test_a_label_map_becomes_one_plane_per_colour():
    image = torch.tensor([[[[255, 0, 0], [0, 0, 255], [0, 0, 0]]]], dtype=torch.uint8)
    planes = encode(image, LABELS, (-1.0, 1.0))
    assert planes[0, :, 0, :].T.tolist() == [[-1, 1, -1], [-1, -1, 1], [1, -1, -1]]


def test_an_unknown_label_colour_counts_as_the_nearest_and_a_tie_as_the_earlier():
    image = torch.tensor([[[[200, 30, 30], [100, 0, 100]]]], dtype=torch.uint8)
    # (100, 0, 100) is as far from red as from blue: 155^2 + 100^2 = 34025; from black 20000, the nearest
    planes = encode(image, LABELS, (0.0, 1.0))
    assert planes[0, :, 0, :].T.tolist() == [[0, 1, 0], [1, 0, 0]]
    tie = torch.tensor([[[[200, 0, 200]]]], dtype=torch.uint8)  # red and blue: 55^2 + 200^2 each, black: 80000
    assert encode(tie, LABELS, (0.0, 1.0)).flatten().tolist() == [0, 1, 0]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=6, unique=True), st.integers(0, 2**32 - 1))
def test_the_nearest_label_is_the_one_that_a_plain_search_finds(palette, seed):
    image = np.random.default_rng(seed).integers(0, 256, (1, 5, 4, 3), dtype=np.uint8)
    pixels = Pixels(colour="labels", palette=tuple(palette))
    found = encode(torch.from_numpy(image), pixels, (0.0, 1.0)).argmax(1).numpy()
    distance = ((image[:, :, :, None].astype(int) - np.array(palette)) ** 2).sum(-1)
    assert (found == distance.argmin(-1)).all()


def test_the_largest_plane_names_the_colour_and_the_earlier_wins_a_tie():
    planes = torch.tensor([[0.1, 0.5], [0.7, 0.2], [0.2, 0.5]]).reshape(1, 3, 1, 2)
    assert decode(planes, LABELS, (-1.0, 1.0)).tolist() == [[[[255, 0, 0], [0, 0, 0]]]]


def test_label_maps_survive_the_way_in_and_out():
    image = torch.tensor(PALETTE, dtype=torch.uint8)[torch.arange(12) % 3].reshape(1, 3, 4, 3)
    assert torch.equal(decode(encode(image, LABELS, (-1.0, 1.0)), LABELS, (-1.0, 1.0)), image)


def test_unknown_label_colours_are_counted_and_shown_with_the_nearest_known_one():
    image = np.zeros((2, 3, 3), dtype=np.uint8)
    image[0, 0] = (250, 3, 0)
    image[1, 1] = image[1, 2] = (0, 0, 254)
    with pytest.raises(I2IError) as caught:
        check_palette(image, LABELS)
    assert caught.value.code == "E_PALETTE"
    message = str(caught.value)
    assert message.startswith("2 colours in 3 pixels are not in the palette: (0, 0, 254) x 2 (nearest: (0, 0, 255))")
    assert "(250, 3, 0) x 1 (nearest: (255, 0, 0))" in message


def test_known_labels_and_other_colours_pass_the_palette_check():
    check_palette(np.array([[PALETTE[1], PALETTE[2]]], dtype=np.uint8), LABELS)
    check_palette(np.full((2, 2, 3), 7, dtype=np.uint8), Pixels())
