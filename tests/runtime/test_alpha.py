import numpy as np

from i2i.images.card import Pixels
from i2i.runtime.alpha import carried


def test_alpha_grows_with_the_picture(card):
    alpha = np.array([[0, 255]], np.uint8)
    assert carried(alpha, card(scale=2)).shape == (2, 4)
    # Bilinear at half pixel centres: the ends stay, between them a quarter and three quarters.
    assert carried(alpha, card(scale=2))[0].tolist() == [0, 64, 191, 255]


def test_label_maps_and_pictures_with_their_own_alpha_carry_none(card):
    alpha = np.zeros((1, 1), np.uint8)
    assert carried(alpha, card(target=Pixels(colour="rgba"))) is None
    assert carried(alpha, card(target=Pixels(colour="labels", palette=((0, 0, 0),)))) is None
    assert carried(None, card()) is None
