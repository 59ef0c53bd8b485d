"""The seam figure: 1 where nothing is to be seen, and large where there is a step or another level."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from tiling import borders, scenery, seams

from i2i.runtime.tiling import Tiling


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return scenery(512, 1024)


def test_a_picture_without_seams_has_none(picture):
    line, level = seams(picture, [256, 512, 768])
    assert 0.9 < line < 1.1
    assert 0.8 < level < 1.2


def test_a_line_and_a_level_are_found(picture):
    darker = picture.copy()
    darker[:, 512:] //= 2
    line, level = seams(darker, [512])
    assert line > 3
    assert level > 3


def test_a_level_that_changes_slowly_is_found_though_no_line_is(picture):
    ramp = np.interp(np.arange(1024), [480, 544], [1.0, 0.5])[None, :, None]
    line, level = seams((picture * ramp).astype(np.uint8), [512])
    assert line < 1.5
    assert level > 2


def test_the_borders_are_the_ends_of_tiles_and_the_middles_between_them():
    assert borders(40, Tiling(24, 8), 8) == [16, 20, 24]


def test_a_scene_is_as_large_as_asked_and_grows_lighter():
    large = scenery(1200, 2300)
    assert large.shape == (1200, 2300, 3)
    assert large[:, -200:].mean() > large[:, :200].mean() + 80
