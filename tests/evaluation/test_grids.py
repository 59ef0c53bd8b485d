"""Grids of pictures."""

import numpy as np
import pytest

from i2i.evaluation.grids import GAP, HEADER, as_rgb, grid


def flat(height: int, width: int, colour: tuple[int, ...]) -> np.ndarray:
    return np.full((height, width, len(colour)), colour, np.uint8)


def test_a_grid_places_each_picture_in_its_cell_with_white_separators():
    red, blue = flat(4, 6, (255, 0, 0)), flat(4, 6, (0, 0, 255))
    canvas = grid([[red, blue], [blue, red]])
    assert canvas.shape == (2 * 4 + 3 * GAP, 2 * 6 + 3 * GAP, 3)
    assert (canvas[GAP : GAP + 4, GAP : GAP + 6] == red).all()
    assert (canvas[-GAP - 4 : -GAP, -GAP - 6 : -GAP] == red).all()
    assert (canvas[GAP : GAP + 4, -GAP - 6 : -GAP] == blue).all()
    assert (canvas[:GAP] == 255).all()


def test_labels_are_drawn_in_a_header_above_the_pictures():
    black = flat(20, 60, (0, 0, 0))
    canvas = grid([[black, black]], ["source", "output"])
    assert canvas.shape[0] == HEADER + 20 + 2 * GAP
    for half in (canvas[:HEADER, : GAP + 60], canvas[:HEADER, GAP + 60 :]):
        assert half.min() < 100
    assert (canvas[HEADER + GAP : -GAP, GAP : GAP + 60] == 0).all()


def test_pictures_of_different_sizes_share_a_cell_and_sit_at_its_top_left():
    canvas = grid([[flat(2, 3, (9, 9, 9)), flat(5, 4, (7, 7, 7))]])
    assert (canvas[GAP : GAP + 2, GAP : GAP + 3] == 9).all()
    assert (canvas[GAP + 2 : GAP + 5, GAP : GAP + 4] == 255).all()


def test_a_picture_over_the_largest_side_is_reduced_in_proportion():
    assert grid([[flat(200, 100, (1, 2, 3))]], largest=50).shape == (50 + 2 * GAP, 25 + 2 * GAP, 3)


def test_grey_is_repeated_and_transparency_shows_the_chequered_ground():
    assert as_rgb(flat(1, 1, (8,))).tolist() == [[[8, 8, 8]]]
    shown = as_rgb(flat(1, 16, (10, 20, 30, 0)))
    assert shown[0, 0].tolist() == [204, 204, 204]
    assert shown[0, 8].tolist() == [255, 255, 255]
    assert as_rgb(flat(1, 1, (10, 20, 30, 255))).tolist() == [[[10, 20, 30]]]


@pytest.mark.parametrize(("rows", "labels"), [([], ()), ([[]], ()), ([[flat(1, 1, (1,))]], ("a", "b"))])
def test_a_grid_without_pictures_or_with_the_wrong_number_of_labels_is_refused(rows, labels):
    with pytest.raises(ValueError, match=r"grid|labels"):
        grid(rows, labels)


def test_floats_are_refused_with_what_is_expected():
    with pytest.raises(ValueError, match="uint8 H,W,C"):
        as_rgb(np.zeros((2, 2, 3)))
