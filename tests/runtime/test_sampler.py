"""Pictures from noise: shapes, seeds, domains and attributes, the way between two points, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.runtime.sampler import BATCH, Sampler, between, noise
from i2i.runtime.translator import Translator


class Painted:
    """A session whose pictures are plain: the sum of the latent, 10 levels a unit, around 128."""

    def __init__(self, **fields: Any) -> None:
        given = {"latent": 3, "sizing": Sizing(rule="fixed", width=4, height=2), **fields}
        self.card = ImageCard(name="plain", network=NetworkSpec(type="mlp"), method="gan", **given)
        self.batches: list[int] = []

    def run(self, image: np.ndarray, **_: Any) -> np.ndarray:
        assert image.dtype == np.float32
        self.batches.append(len(image))
        levels = np.clip(128 + 10 * image.sum(1), 0, 255).astype(np.uint8)
        return np.broadcast_to(levels[:, None, None, None], (len(image), 2, 4, self.card.target.channels))


def test_a_count_gives_pil_images_and_an_array_gives_an_array() -> None:
    sample = Sampler(Painted())
    pictures = sample(count=3, seed=4)
    assert all(isinstance(picture, Image.Image) and picture.size == (4, 2) for picture in pictures)
    array = sample(noise(3, 3, seed=4))
    assert array.dtype == np.uint8
    assert np.array_equal(array, np.stack([np.asarray(picture) for picture in pictures]))
    assert np.array_equal(sample(noise(3, 3, seed=4).astype(np.float64)), array)


def test_grey_pictures_are_grey() -> None:
    (picture,) = Sampler(Painted(target=Pixels(colour="gray")))()
    assert picture.mode == "L"


def test_the_same_seed_gives_the_same_noise_and_fewer_are_the_first_of_more() -> None:
    assert np.array_equal(noise(40, 7, seed=3)[:5], noise(5, 7, seed=3))
    assert not np.array_equal(noise(5, 7, seed=3), noise(5, 7, seed=4))
    many = noise(20_000, 2, seed=0)
    # a standard error of 0.005 each
    assert many.mean() == pytest.approx(0, abs=0.02)
    assert many.std() == pytest.approx(1, abs=0.02)


def test_many_pictures_go_through_the_network_some_at_a_time() -> None:
    session = Painted()
    assert len(Sampler(session)(count=2 * BATCH + 1)) == 2 * BATCH + 1
    assert session.batches == [BATCH, BATCH, 1]


class Told(Painted):
    """Its pictures are as bright as the domain's number, or have the attributes in steps of 100 as their columns."""

    def run(self, image: np.ndarray, *, domain: Any = None, condition: Any = None) -> np.ndarray:
        self.batches.append(len(image))
        told = np.repeat(domain[:, None], 2, 1) if condition is None else 100 * condition
        return np.broadcast_to(told[:, None, :, None], (len(image), 2, 2, 3)).astype(np.uint8)


DOMAINS = Condition(kind="domains", names=("nought", "one", "two"))
ATTRIBUTES = Condition(kind="attributes", names=("smile", "age"), ranges=((0, 1), (1, 2)))


def test_all_pictures_are_of_the_domain_or_each_is_of_its_own() -> None:
    sample = Sampler(session := Told(condition=DOMAINS))
    assert [np.asarray(picture).max() for picture in sample(count=2, domain="two")] == [2, 2]
    assert [np.asarray(picture).max() for picture in sample(count=3, domain=["one", "nought", "two"])] == [1, 0, 2]
    assert sample(noise(2, 3, seed=0), domain=["one", "two"])[:, 0, 0, 0].tolist() == [1, 2]
    many = ["nought", *["two"] * BATCH]
    assert [np.asarray(picture).max() for picture in sample(count=BATCH + 1, domain=many)] == [0, *[2] * BATCH]
    assert session.batches[-2:] == [BATCH, 1]


def test_attributes_are_set_by_name_and_the_others_drawn_by_the_seed() -> None:
    sample = Sampler(Told(condition=ATTRIBUTES))
    made = sample(noise(4, 3, seed=0), attributes={"smile": 0.5}, seed=3)
    assert (made[:, :, 0] == 50).all()
    ages = made[:, 0, 1, 0]
    assert len(set(ages)) > 1
    assert ((ages >= 100) & (ages <= 200)).all()
    assert np.array_equal(made, np.stack(sample(count=4, attributes={"smile": 0.5}, seed=3)))
    assert not np.array_equal(ages, sample(noise(4, 3, seed=0), seed=4)[:, 0, 1, 0])


def test_raw_conditions_are_checked_against_the_card() -> None:
    zeros = np.zeros((2, 3), np.float32)
    domains, attributes, plain = (Sampler(Told(condition=kind)) for kind in (DOMAINS, ATTRIBUTES, None))
    assert domains.apply(zeros, domain=np.array([2, 0])).max() == 2
    for sampler, given, code, said in [
        (domains, {}, "E_CONDITION", "needs a 'domain': nought, one, two"),
        (attributes, {}, "E_CONDITION", "needs a 'condition': smile, age"),
        (domains, {"domain": np.array([0, 3])}, "E_CONDITION", "there is no domain 3; model 'plain' has 0 to 2"),
        (domains, {"domain": np.array([0, -1])}, "E_CONDITION", "there is no domain -1"),
        (domains, {"domain": np.array([1])}, "E_SIZE", r"'domain' of 2 pictures is \[2\], got \[1\]"),
        (attributes, {"condition": zeros}, "E_SIZE", r"'condition' of 2 pictures is \[2, 2\], got \[2, 3\]"),
        (plain, {"condition": zeros}, "E_CONDITION", "takes no 'condition'"),
    ]:
        with pytest.raises(I2IError, match=said) as caught:
            sampler.apply(zeros, **given)
        assert caught.value.code == code


@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (0, 3), (1, 1, 3)])
def test_latents_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(I2IError, match=r"takes latents \[N, 3\]") as caught:
        Sampler(Painted())(np.zeros(shape, np.float32))
    assert caught.value.code == "E_SIZE"


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (1, -1)])
def test_a_count_or_seed_below_its_least_is_refused(count: int, seed: int) -> None:
    with pytest.raises(I2IError) as caught:
        Sampler(Painted())(count=count, seed=seed)
    assert caught.value.code == "E_USAGE"


def test_the_way_between_two_points_keeps_the_length_and_the_angle_steps() -> None:
    way = between(np.array([3.0, 0.0], np.float32), np.array([0.0, 3.0], np.float32), 4)
    angles = np.deg2rad([0, 30, 60, 90])
    assert way == pytest.approx(3 * np.stack([np.cos(angles), np.sin(angles)], axis=1), abs=1e-5)
    assert way.dtype == np.float32


def test_two_points_of_one_direction_are_joined_by_a_line() -> None:
    way = between(np.array([1.0, 1.0], np.float32), np.array([3.0, 3.0], np.float32), 3)
    assert way.tolist() == [[1, 1], [2, 2], [3, 3]]


def test_a_translator_is_no_sampler_and_a_sampler_no_translator() -> None:
    with pytest.raises(I2IError, match="use `i2i convert`") as caught:
        Sampler(Painted(latent=None))
    assert caught.value.code == "E_CONDITION"
    with pytest.raises(I2IError, match="use `i2i sample`") as caught:
        Translator(Painted())
    assert caught.value.code == "E_CONDITION"
