"""What is looked at while a generator learns to translate between domains, or to change attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from i2i.data.domains_source import DomainsSource
from i2i.errors import I2IError
from i2i.evaluation.conditioned import ConditionedMonitor
from i2i.evaluation.grids import GAP, HEADER
from i2i.evaluation.targets import Step, Told, back, missing, present, steps, towards
from i2i.images.card import Condition, ImageCard, NetworkSpec
from i2i.metrics.kid import kernel_distance
from tests.runtime.folders import picture

DOMAINS = Condition(kind="domains", names=("a", "b", "c"))
FACES = Condition(
    kind="attributes",
    names=("smile", "age", "dark", "fair"),
    exclusive_groups=(("dark", "fair"),),
    ranges=((0, 1), (20, 60), (0, 1), (0, 1)),
)


class Levels(nn.Module):
    """Adds 10, 20 and 30 levels of 255 for the three domains, or 10 for each attribute, weighed by its value; 1 for one
    that is kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.tensor(1 / 127.5))

    def forward(self, planes: Tensor, condition: Tensor) -> Tensor:
        if condition.is_floating_point():
            levels = torch.where(condition.isnan(), 1.0, 10 * condition).sum(1)
        else:
            levels = 10.0 * (condition + 1)
        return planes + (self.step * levels)[:, None, None, None]


NETWORK = {"a2b": Levels()}


def card(condition: Condition) -> ImageCard:
    return ImageCard(name="tiny", condition=condition, network=NetworkSpec(type="stargan"), method="stargan")


def told(known: Sequence[Any]) -> list[Told]:
    """Pictures of 8 x 9 between 50 and 150, with what is known of them."""
    rng = np.random.default_rng(0)
    kind = np.int64 if np.ndim(known[0]) == 0 else np.float32
    return [Told(rng.integers(50, 150, (8, 9, 3), np.uint8), kind(one)) for one in known]


def corners(pixels: Tensor) -> Tensor:
    """A feature network of two numbers: the first and the last red value."""
    return pixels[:, [0, -1], [0, -1], 0].float() / 255


def monitor(condition: Condition, known: Sequence[Any], **options: Any) -> ConditionedMonitor:
    return ConditionedMonitor(told(known), cards={"a2b": card(condition)}, features=corners, **options)


def cell(pixels: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = HEADER + GAP + row * (8 + GAP), GAP + column * (9 + GAP)
    return pixels[top : top + 8, left : left + 9]


def test_the_grid_shows_every_domain_for_the_same_pictures() -> None:
    pixels = monitor(DOMAINS, [0, 2, 1], shown=2).sample(NETWORK)
    assert pixels.shape == (HEADER + 2 * (8 + GAP) + GAP, 4 * (9 + GAP) + GAP, 3)
    for row, one in enumerate([told([0, 2, 1])[0], told([0, 2, 1])[2]]):
        for column, levels in enumerate((0, 10, 20, 30)):
            assert np.array_equal(cell(pixels, row, column), one.picture + levels), (row, column)


def test_the_grid_shows_each_attribute_switched_and_the_others_kept() -> None:
    off, on = (0, 25, 1, 0), (1, 55, 0, 1)
    pixels = monitor(FACES, [off, on]).sample({"a2b": Levels()})
    first, second = (one.picture for one in told([off, on]))
    # three kept and a smile; an age of 60 would be 600 levels; dark or fair with the other one off and two kept
    assert np.array_equal(cell(pixels, 0, 1), first + 13)
    assert (cell(pixels, 0, 2) == 255).all()
    assert np.array_equal(cell(pixels, 0, 3), first + 12)
    assert np.array_equal(cell(pixels, 0, 4), first + 12)
    assert np.array_equal(cell(pixels, 1, 1), second + 3)  # no smile any more
    assert np.array_equal(cell(pixels, 1, 4), second + 12)  # fair as before: it cannot be without a colour


def test_of_many_domains_the_grid_shows_the_first() -> None:
    many = Condition(kind="domains", names=tuple(f"d{number}" for number in range(9)))
    wide = [Told(np.zeros((4, 200, 3), np.uint8), np.int64(0))]
    shown = ConditionedMonitor(wide, cards={"a2b": card(many)}, metrics=["l1"]).sample({"a2b": Levels()})
    assert shown.shape[1] == 5 * (200 + GAP) + GAP  # 1024 pixels hold the picture and four domains


def test_ways_there_and_back_are_compared_with_the_pictures_and_translations_with_the_domain() -> None:
    known = [0, 1, 2, 0, 1, 0, 1]
    found = monitor(DOMAINS, known).measure(NETWORK)
    pictures = [one.picture.astype(np.float64) for one in told(known)]
    # In turn: the first picture goes to the first domain that is not its own (b), the second to its second (c) ...
    goes = [1, 2, 0, 2, 0, 2, 0]
    off = [10 * (there + 1 + back + 1) for there, back in zip(goes, known, strict=True)]
    assert max(image.max() + levels for image, levels in zip(pictures, off, strict=True)) < 255
    each = [10 * np.log10(255**2 / levels**2) for levels in off]
    assert found.pop("cycle_psnr") == pytest.approx(np.mean(each), abs=1e-4)

    real = {
        name: [image for image, number in zip(pictures, known, strict=True) if number == index]
        for index, name in enumerate("abc")
    }
    a, b = torch.from_numpy(np.stack(real["a"])), torch.from_numpy(np.stack(real["b"]))
    others_of_a = torch.from_numpy(
        np.stack([pictures[row] for row in (1, 4, 6)])
    )  # of 1, 2, 4, 6: evenly spread, halves to even
    others_of_b = torch.from_numpy(np.stack([pictures[row] for row in (0, 3, 5)]))
    kid_a, kid_b = (
        kernel_distance(corners(others_of_a + 10), corners(a)),
        kernel_distance(corners(others_of_b + 20), corners(b)),
    )
    assert found == {
        "kid_a": pytest.approx(kid_a),
        "kid_b": pytest.approx(kid_b),
        "kid": pytest.approx((kid_a + kid_b) / 2),  # of c there is one picture, which is no set
    }


def test_attributes_are_compared_with_pictures_that_have_them() -> None:
    known = [(1, 20, 1, 0), (0, 60, 0, 1), (1, 25, 0, 1), (0, 21, 1, 0)]
    found = monitor(FACES, known, metrics=["kid"]).measure(NETWORK)
    assert set(found) == {"kid", "kid_smile", "kid_dark", "kid_fair"}  # one picture alone is old
    pictures = torch.from_numpy(np.stack([one.picture for one in told(known)])).float()
    assert found["kid_smile"] == pytest.approx(
        kernel_distance(corners(pictures[[1, 3]] + 13), corners(pictures[[0, 2]]))
    )
    assert found["kid_dark"] == pytest.approx(
        kernel_distance(corners(pictures[[1, 2]] + 12), corners(pictures[[0, 3]]))
    )


def test_what_each_picture_has_and_can_become() -> None:
    faces = told([(1, 39, 1, 0), (0, 41, 0, 0.6)])
    has = present(card(FACES), faces)
    assert has.tolist() == [[True, False, True, False], [False, True, False, True]]
    assert steps(card(FACES), faces) == [Step(0, 0), Step(0, 1), Step(0, 3), Step(1, 0), Step(1, 1), Step(1, 2)]
    rows = towards(card(FACES), has, steps(card(FACES), faces)).condition
    kept = np.nan
    expected = [
        [0, kept, kept, kept],
        [kept, 60, kept, kept],
        [kept, kept, 0, 1],
        [1, kept, kept, kept],
        [kept, 20, kept, kept],
        [kept, kept, 1, 0],
    ]
    assert np.array_equal(rows, np.array(expected, np.float32), equal_nan=True)
    assert back(card(FACES), told([(1, 39, 1, 0)])).condition.tolist() == [[1, 39, 1, 0]]
    assert steps(card(DOMAINS), told([2, 0])) == [Step(0, 0), Step(0, 1), Step(1, 1), Step(1, 2)]
    assert back(card(DOMAINS), told([2, 0])).domain.tolist() == [2, 0]


def test_of_what_is_not_known_nothing_is_changed_or_compared() -> None:
    unknown = [(np.nan, 25, 1, 0), (1, np.nan, np.nan, np.nan), (0, 55, 0, 1), (1, 20, 0, 1), (0, 20, 1, 0)]
    assert missing(card(FACES), told(unknown[:2])).tolist() == [[False, True, False, True], [False] * 4]
    assert steps(card(FACES), told(unknown[:2])) == [Step(0, 1), Step(0, 3), Step(1, 0)]
    found = monitor(FACES, unknown, metrics=["kid"]).measure(NETWORK)
    pictures = torch.from_numpy(np.stack([one.picture for one in told(unknown)])).float()
    expected = kernel_distance(corners(pictures[[2, 4]] + 13), corners(pictures[[1, 3]]))
    assert found["kid_smile"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"best": "psnr"}, "psnr does not say how well domains without pairs are translated; use kid"),
        ({"metrics": ["accuracy"]}, "accuracy scores label maps"),
        ({"metrics": ["kidd"]}, "did you mean 'kid'"),
    ],
)
def test_metrics_that_do_not_fit_are_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(I2IError, match=said) as caught:
        monitor(DOMAINS, [0, 1], **options)
    assert caught.value.code == "E_RECIPE"


def test_the_model_to_keep_can_be_chosen_by_the_distance_of_sets() -> None:
    assert set(monitor(DOMAINS, [0, 1, 0, 1], metrics=["l1"], best="kid").measure(NETWORK)) == {
        *("cycle_l1", "kid_a", "kid_b", "kid")
    }


def test_the_examples_are_translations_beside_pictures() -> None:
    outputs, real = monitor(DOMAINS, [0, 1]).examples(NETWORK)
    first, second = (one.picture for one in told([0, 1]))
    assert np.array_equal(outputs[0], first + 20)
    assert np.array_equal(outputs[1], second + 30)
    assert np.array_equal(real, [first, second])


def test_looking_draws_no_random_numbers_and_leaves_the_mode() -> None:
    before = torch.get_rng_state()
    looked = monitor(DOMAINS, [0, 1, 0, 1])
    looked.measure(NETWORK)
    looked.sample(NETWORK)
    assert torch.equal(torch.get_rng_state(), before)
    assert NETWORK["a2b"].training


def test_the_pictures_that_are_looked_at_come_with_their_domains(tmp_path) -> None:
    for number in range(3):
        picture(tmp_path / f"train/a/{number}.png", 10 + number, (8, 8))
        picture(tmp_path / f"train/b/{number}.png", 100 + number, (8, 8))
        picture(tmp_path / f"val/a/{number}.png", 20 + number, (8, 8))
        picture(tmp_path / f"val/b/{number}.png", 200 + number, (8, 8))
        picture(tmp_path / f"val/unlabelled/{number}.png", 77, (8, 8))
    source = DomainsSource(root=tmp_path)
    samples = source.told(source.scan(), count=4)
    assert [(int(image[0, 0, 0]), int(known)) for image, known in samples] == [(20, 0), (22, 0), (200, 1), (202, 1)]
    assert all(image.shape == (64, 64, 3) for image, _ in samples)
    assert len(source.told(source.scan(), count=99)) == 6
