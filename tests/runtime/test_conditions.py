"""Domains and attributes by name, and those that are drawn for sheets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard, NetworkSpec
from i2i.runtime.conditions import Asked, asked, changed, check, domain_folders, drawn, of_numbers

FACES = Condition(
    kind="attributes",
    names=("dark", "age", "fair", "red", "tilt", "hat", "cap", "bare"),
    exclusive_groups=(("dark", "fair", "red"), ("hat", "cap", "bare")),
    ranges=((0, 1), (20, 60), (0, 1), (0, 1), (-1, 1), (0, 1), (0, 1), (-2, 2)),
)
DARK, AGE, FAIR, RED, TILT, HAT, CAP, BARE = range(8)


def card(condition: Condition | None) -> ImageCard:
    return ImageCard(name="m", latent=3, condition=condition, network=NetworkSpec(type="mlp"), method="cgan")


def domains(*names: str) -> ImageCard:
    return card(Condition(kind="domains", names=names))


def test_drawn_domains_come_in_turn() -> None:
    assert drawn(domains("a", "b", "c"), 7, seed=5).domain.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert drawn(card(None), 3, seed=0) == (None, None)


def test_drawn_attributes_fill_their_ranges_and_fewer_are_the_first_of_more() -> None:
    many = drawn(card(FACES), 3000, seed=1).condition
    assert many.dtype == np.float32
    for column, (low, high) in ((AGE, (20, 60)), (TILT, (-1, 1))):
        values = (many[:, column] - low) / (high - low)
        assert 0 <= values.min() < 0.01 < 0.99 < values.max() <= 1
        assert values.mean() == pytest.approx(0.5, abs=0.03)  # a standard error of 0.005
    assert np.array_equal(drawn(card(FACES), 5, seed=1).condition, many[:5])
    assert not np.array_equal(drawn(card(FACES), 5, seed=2).condition[:, AGE], many[:5, AGE])


def test_attributes_are_no_copy_of_the_noise_of_their_seed() -> None:
    plain = card(Condition(kind="attributes", names=("a", "b")))
    values = drawn(plain, 2000, seed=0).condition
    for noise in (np.random.default_rng(0).standard_normal((2000, 2)), np.random.default_rng(0).random((2000, 2))):
        assert abs(np.corrcoef(values[:, 0], noise[:, 0])[0, 1]) < 0.1  # a standard error of 0.022


def test_of_a_drawn_exclusive_group_one_is_on_in_turn_and_two_groups_meet_in_all_ways() -> None:
    rows = drawn(card(FACES), 9, seed=0).condition
    hair, head = rows[:, [DARK, FAIR, RED]], rows[:, [HAT, CAP, BARE]]
    assert hair.argmax(1).tolist() == [0, 1, 2] * 3
    assert (np.sort(hair) == [0, 0, 1]).all()
    # the ends of the third one's range are -2 and 2
    assert {tuple(row) for row in head.tolist()} == {(1, 0, -2), (0, 1, -2), (0, 0, 2)}
    assert len(set(zip(hair.argmax(1).tolist(), head.argmax(1).tolist(), strict=True))) == 9


def test_setting_a_member_of_an_exclusive_group_clears_the_others_and_several_make_a_mixture() -> None:
    rows = asked(card(FACES), 4, attributes={"fair": 1, "age": 33}, seed=2).condition
    assert rows[:, [DARK, AGE, FAIR, RED]].tolist() == [[0, 33, 1, 0]] * 4
    left = drawn(card(FACES), 4, seed=2).condition
    assert np.array_equal(rows[:, [TILT, HAT, CAP, BARE]], left[:, [TILT, HAT, CAP, BARE]])
    mixed = asked(card(FACES), 1, attributes={"cap": 0.25, "bare": 1.5}).condition
    assert mixed[:, [HAT, CAP, BARE]].tolist() == [[0, 0.25, 1.5]]
    none = asked(card(FACES), 3, attributes={"bare": -2}).condition
    assert none[:, [HAT, CAP, BARE]].tolist() == [[0, 0, -2]] * 3


def test_the_ends_of_a_range_can_be_set_though_the_card_holds_them_rounded() -> None:
    rounded = (float(np.float32(0.1)), float(np.float32(34.1)))
    told = card(Condition(kind="attributes", names=("age",), ranges=(rounded,)))
    for value in (0.1, 34.1):
        assert asked(told, 1, attributes={"age": value}).condition.tolist() == [[np.float32(value)]]
    with pytest.raises(I2IError, match=r"from 0\.1 to 34\.1, got 34\.2"):
        asked(told, 1, attributes={"age": 34.2})


def test_domains_are_named_once_or_one_a_picture() -> None:
    assert asked(domains("a", "b"), 3, domain="b").domain.tolist() == [1, 1, 1]
    assert asked(domains("a", "b"), 3, domain=["b", "a", "b"]).domain.tolist() == [1, 0, 1]
    assert asked(card(None), 3) == (None, None)


@pytest.mark.parametrize(
    ("condition", "given", "said"),
    [
        (FACES, {"attributes": {"aeg": 30}}, "unknown attribute 'aeg'; did you mean 'age'"),
        (FACES, {"attributes": {"age": 61}}, "attribute 'age' runs from 20 to 60, got 61"),
        (FACES, {"attributes": {"tilt": float("nan")}}, "attribute 'tilt' runs from -1 to 1, got nan"),
        (FACES, {"domain": "age"}, "takes no domain; leave out 'age'"),
        (Condition(kind="domains", names=("a", "b")), {}, "needs a domain, one of: a, b"),
        (Condition(kind="domains", names=("a", "b")), {"domain": "c"}, "unknown domain 'c'"),
        (Condition(kind="domains", names=("a", "b")), {"domain": ["a", "b"]}, "2 domains for 3 pictures"),
        (Condition(kind="domains", names=("a", "b")), {"domain": []}, "0 domains for 3 pictures"),
        (
            Condition(kind="domains", names=("a",)),
            {"domain": "a", "attributes": {"x": 1}},
            "no attributes; leave out x",
        ),
        (None, {"attributes": {"x": 1}}, "takes no attributes"),
        (None, {"domain": "a"}, "takes no domain"),
    ],
)
def test_what_does_not_fit_the_card_is_refused(condition: Condition | None, given: dict[str, Any], said: str) -> None:
    with pytest.raises(I2IError, match=said) as caught:
        asked(card(condition), 3, **given)
    assert caught.value.code == "E_CONDITION"


KEPT = "kept"


def shown(row: np.ndarray) -> list[Any]:
    """A row of attributes, with a word for those that stay as they are."""
    return [KEPT if np.isnan(value) else value for value in row.tolist()]


def translator(condition: Condition | None) -> ImageCard:
    return ImageCard(name="m", condition=condition, network=NetworkSpec(type="stargan"), method="stargan")


def test_a_picture_keeps_what_is_not_set_and_a_member_that_is_switched_on_switches_its_group_off() -> None:
    face = translator(FACES)
    assert shown(changed(face, 1, attributes={"age": 30}).condition[0]) == [KEPT, 30, *[KEPT] * 6]
    fair = changed(face, 2, attributes={"fair": 0.5}).condition
    assert [shown(row) for row in fair] == [[0, KEPT, 0.5, 0, *[KEPT] * 4]] * 2
    # -2 is the low end of its range: it is switched off, which says nothing of the others
    assert shown(changed(face, 1, attributes={"bare": -2}).condition[0]) == [*[KEPT] * 7, -2]
    assert shown(changed(face, 1, attributes={"bare": -1, "cap": 1}).condition[0]) == [*[KEPT] * 5, 0, 1, -1]
    assert shown(changed(face, 1, attributes={}).condition[0]) == [KEPT] * 8


@pytest.mark.parametrize(
    ("condition", "given", "said"),
    [
        (FACES, {}, "needs to be told what to change, some of: dark, age.*; as in --set dark=1"),
        (FACES, {"attributes": {"farr": 1}}, "unknown attribute 'farr'; did you mean 'fair'"),
        (FACES, {"attributes": {"age": float("nan")}}, "'age' runs from 20 to 60, got nan"),
        (FACES, {"attributes": {"dark": 1, "red": 0.75}}, "'dark' and 'red' exclude each other; set one of them"),
        (FACES, {"attributes": {"hat": 1, "bare": 0.1}}, "'hat' and 'bare' exclude each other"),  # of -2 to 2
        (FACES, {"domain": 1}, "takes no domain; leave out '1' and set dark, age"),
        (None, {"domain": {"a": 1}}, "takes no domain; leave out {'a': 1}"),
    ],
)
def test_what_a_translator_cannot_be_told_is_refused(condition: Condition, given: dict[str, Any], said: str) -> None:
    with pytest.raises(I2IError, match=said) as caught:
        changed(translator(condition), 1, **given)
    assert caught.value.code == "E_CONDITION"


def test_domains_have_numbers_too() -> None:
    assert asked(domains("a", "b"), 2, domain=1).domain.tolist() == [1, 1]
    assert asked(domains("a", "b"), 2, domain=[np.int64(0), "b"]).domain.tolist() == [0, 1]
    for number in (-1, 2, 3):
        with pytest.raises(I2IError, match=f"there is no domain {number}; model 'm' has 0 to 1: a, b") as caught:
            asked(domains("a", "b"), 2, domain=number)
        assert caught.value.code == "E_CONDITION"


MIXED = Condition(kind="domains", names=("a", "b", "c", "d"), mixed=True)


def test_a_mixture_has_shares_of_domains_and_a_name_is_the_whole_of_it() -> None:
    assert changed(card(MIXED), 2, domain="b").condition.tolist() == [[0, 1, 0, 0]] * 2
    shares = changed(card(MIXED), 2, domain=[{"a": 3, "d": 1}, 2]).condition
    assert shares.dtype == np.float32
    assert shares.tolist() == [[0.75, 0, 0, 0.25], [0, 0, 1, 0]]
    assert drawn(card(MIXED), 5, seed=0).condition.argmax(1).tolist() == [0, 1, 2, 3, 0]
    assert of_numbers(card(MIXED), np.array([3])).condition.tolist() == [[0, 0, 0, 1]]
    assert of_numbers(domains("a", "b"), np.array([1])).domain.tolist() == [1]


@pytest.mark.parametrize(
    ("condition", "domain", "said"),
    [
        (MIXED, {"a": 1, "e": 1}, "unknown domain 'e'"),
        (MIXED, {"a": 1, "b": -0.5}, "'b' has the weight -0.5; weights are numbers from 0 on"),
        (MIXED, {"a": float("inf")}, "'a' has the weight inf"),
        (MIXED, {"a": 0}, "needs a weight above 0"),
        (MIXED, {}, "needs a weight above 0"),
        (Condition(kind="domains", names=("a", "b")), {"a": 1}, "makes one domain at a time and no mixture"),
    ],
)
def test_what_is_no_mixture_is_refused(condition: Condition, domain: dict[str, float], said: str) -> None:
    with pytest.raises(I2IError, match=said) as caught:
        changed(card(condition), 1, domain=domain)
    assert caught.value.code == "E_CONDITION"


def test_a_translator_may_be_told_to_keep_an_attribute_and_a_generator_from_noise_has_none_to_keep() -> None:
    row = np.zeros((1, 8), np.float32)
    row[0, AGE] = np.nan
    check(translator(FACES), 1, Asked(condition=row))
    for told in (card(FACES), card(Condition(kind="domains", names=tuple("abcdefgh"), mixed=True))):
        with pytest.raises(I2IError, match=r"a number that is not finite$") as caught:
            check(told, 1, Asked(condition=row))
        assert caught.value.code == "E_CONDITION"


def test_domains_have_folders_unless_their_names_lead_elsewhere() -> None:
    assert [str(folder) for folder in domain_folders(["Ma Shan Zheng", "宋体"]).values()] == ["Ma Shan Zheng", "宋体"]
    for name in ("..", "a/b", "a\\b", "", "a\n"):
        with pytest.raises(I2IError, match="no folder can be named"):
            domain_folders(["fine", name])
