"""The regions of the satellite and relief set: nothing leaks between the splits, and no seam loses a crop."""

from __future__ import annotations

import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import earth_pairs
from earth_pairs import REGION, TILE


@pytest.fixture(scope="module")
def covered() -> dict[str, np.ndarray]:
    """Which pixels of the world each split holds, were there land everywhere."""
    land = np.ones((2700, 5400))
    cut = {
        "train": (earth_pairs.train_corners(land), REGION),
        "val": (earth_pairs.val_corners(), TILE),
        "test": (earth_pairs.test_corners(), TILE),
    }
    masks = {split: np.zeros((2700, 5400), bool) for split in cut}
    for split, (corners, size) in cut.items():
        for top, left in corners:
            assert 0 <= top <= 2700 - size
            assert 0 <= left <= 5400 - size
            masks[split][top : top + size, left : left + size] = True
    return masks


def test_no_split_shares_a_pixel_with_another(covered: dict[str, np.ndarray]) -> None:
    for one, other in [("train", "val"), ("train", "test"), ("val", "test")]:
        assert not (covered[one] & covered[other]).any()


def test_the_test_tiles_lie_in_the_americas_and_training_east_of_13_west(covered: dict[str, np.ndarray]) -> None:
    test, train = (np.flatnonzero(covered[split].any(axis=0)) for split in ("test", "train"))
    assert (test.min(), test.max()) == ((180 - 170) * 15, 1942 + TILE - 1)
    assert (train.min(), train.max()) == ((180 - 13) * 15, 5399)


def test_validation_keeps_a_degree_and_a_half_from_training(covered: dict[str, np.ndarray]) -> None:
    val = np.flatnonzero(covered["val"].any(axis=0))
    train = np.flatnonzero(covered["train"].any(axis=0))
    assert np.abs(train[:, None] - val[[0, -1]]).min() > 1.5 * 15


def test_there_are_48_test_tiles_and_24_for_validation() -> None:
    assert (len(set(earth_pairs.test_corners())), len(set(earth_pairs.val_corners()))) == (48, 24)


@pytest.mark.parametrize(("first", "last"), [(0, 384), (0, 385), (2505, 4200), (120, 2250)])
def test_windows_reach_both_ends_and_overlap_by_a_tile(first: int, last: int) -> None:
    starts = earth_pairs.starts(first, last, REGION, REGION - TILE)
    assert (starts[0], starts[-1]) == (first, last - REGION)
    assert all(b - a <= REGION - TILE for a, b in pairwise(starts))


def test_a_region_without_land_is_left_out_but_for_new_zealand() -> None:
    assert earth_pairs.train_corners(np.zeros((2700, 5400))) == [earth_pairs.NEW_ZEALAND]


def test_a_tile_is_cut_where_its_name_says(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:2700, 0:5400]
    world = np.stack([rows // 256, rows % 256, columns % 256], axis=2).astype(np.uint8)
    layers = {"satellite": earth_pairs.Image.fromarray(world)}
    earth_pairs.write(layers, [(300, 278)], TILE, tmp_path)
    tile = np.asarray(earth_pairs.Image.open(tmp_path / "satellite/0300_0278.png"))
    for row, column in product((0, 127), (0, 127)):
        assert tuple(tile[row, column]) == ((300 + row) // 256, (300 + row) % 256, (278 + column) % 256)
