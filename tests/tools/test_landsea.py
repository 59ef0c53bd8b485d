"""The rule that tells sea from land in a shaded relief map."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import landsea

from i2i.images.codec import read

RELIEF = Path(__file__).parents[1] / "data/earth/test/relief"


@pytest.mark.parametrize("colour", [(118, 166, 204), (155, 190, 219), (196, 218, 237), (211, 228, 243)])
def test_the_sea_is_sea_from_the_deep_to_the_shelf(colour):
    assert landsea.sea(np.array([[colour]], np.uint8)).all()


@pytest.mark.parametrize("colour", [(134, 184, 154), (222, 190, 160), (190, 200, 214), (250, 250, 250)])
def test_lowland_mountains_ice_and_snow_are_land(colour):
    assert not landsea.sea(np.array([[colour]], np.uint8)).any()


def test_agreement_is_the_share_of_equal_pixels():
    sea, land = (118, 166, 204), (134, 184, 154)
    truth = np.array([[sea, sea, land, land]], np.uint8)
    assert landsea.agreement(np.array([[sea, land, land, land]], np.uint8), truth) == 0.75


def test_an_inland_tile_is_land_and_an_ocean_tile_is_sea():
    # Nevada; the Pacific south of Mexico
    assert landsea.sea(read(RELIEF / "0684_0918.jpg").pixels).mean() == 0
    assert landsea.sea(read(RELIEF / "1068_1046.jpg").pixels).mean() > 0.95


def test_the_command_prints_the_mean_agreement_of_pictures_of_the_same_names(capsys):
    assert landsea.main([str(RELIEF), str(RELIEF)]) == 0
    assert "over 48 pictures: 1.0000, worst 1.0000" in capsys.readouterr().out
