"""The judge learns from pictures what tells names apart, the same every time, and disturbs nobody's random numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from i2i.evaluation.judge import taught


def pictures(count: int, *, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Noise that is reddish or bluish, and greenish or not: bool (count, 3) for red, blue, green."""
    draws = np.random.default_rng(seed)
    made, has = [], np.zeros((count, 3), bool)
    for number in range(count):
        red, green = draws.random(2) > 0.5
        image = draws.integers(40, 100, (16, 16, 3)).astype(np.uint8)
        image[:, :, 0 if red else 2] += 40
        image[:, :, 1] += np.uint8(40 * green)
        made.append(image)
        has[number] = red, not red, green
    return made, has


def test_names_that_exclude_each_other_are_told_apart_and_each_picture_has_one() -> None:
    images, has = pictures(60)
    others, truth = pictures(40, seed=1)
    found = taught(images, has[:, :2], ~has[:, :2], exclusive=True, steps=40)(others)
    assert found.dtype == bool
    assert (found.sum(1) == 1).all()
    assert (found == truth[:, :2]).mean() > 0.95


def test_attributes_are_judged_each_by_itself() -> None:
    images, has = pictures(60)
    others, truth = pictures(40, seed=1)
    found = taught(images, has[:, [0, 2]], ~has[:, [0, 2]], exclusive=False, steps=60)(others)
    assert ((found == truth[:, [0, 2]]).mean(0) > 0.9).all()
    assert set(found.sum(1)) == {0, 1, 2}


def test_a_rare_name_is_seen_as_often_as_the_others() -> None:
    images, has = pictures(120)
    rare = np.flatnonzero(has[:, 0])[:4]
    kept = [*rare, *np.flatnonzero(has[:, 1])]
    others, truth = pictures(40, seed=1)
    found = taught([images[row] for row in kept], has[kept, :2], ~has[kept, :2], exclusive=True, steps=40)(others)
    assert (found[:, 0] == truth[:, 0])[truth[:, 0]].mean() > 0.8


def test_the_same_pictures_give_the_same_judge_and_no_random_numbers_are_used_up() -> None:
    images, has = pictures(20)
    before = torch.get_rng_state()
    first, second = (taught(images, has, ~has, exclusive=False, steps=3) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(first(images), second(images))


@pytest.mark.parametrize(("side", "channels"), [(7, 1), (100, 4)])
def test_any_size_and_any_number_of_channels_will_do(side: int, channels: int) -> None:
    images = [np.full((side, side + 3, channels), level, np.uint8) for level in (10, 240)] * 3
    has = np.array([[True, False], [False, True]] * 3)
    judge = taught(images, has, ~has, exclusive=True, steps=30)
    assert judge(images[:2]).shape == (2, 2)


def test_each_step_is_told_of() -> None:
    images, has = pictures(4)
    told: list[None] = []
    taught(images, has, ~has, exclusive=False, steps=5, progress=lambda: told.append(None))
    assert len(told) == 5


def test_what_is_not_known_of_a_picture_teaches_nothing_of_it() -> None:
    images, has = pictures(120)
    both = [0, 2]
    # Of the first half only red or not is known, of the second only green or not.
    known = np.repeat(np.array([[True, False], [False, True]]), 60, axis=0)
    others, truth = pictures(40, seed=1)
    found = taught(images, has[:, both] & known, ~has[:, both] & known, exclusive=False, steps=60)(others)
    assert ((found == truth[:, both]).mean(0) > 0.9).all()
