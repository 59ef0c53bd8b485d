"""The health of a training: each sign on numbers and pictures made by hand, and how long it has to last."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.recipes.recipe import recipe_model
from i2i.training import checkpoint
from i2i.training.health import GRACE, LASTING, Finding, Health, returns
from i2i.training.looks import compared, distance, thumbnails
from i2i.training.remedies import REMEDIES, TRANSLATORS

Pictures = list[np.ndarray]

RNG = np.random.default_rng(0)
REAL = [RNG.integers(20, 236, (8, 8, 3), np.uint8) for _ in range(6)]
ALIVE = {"generator": 1e-3, "discriminator": 1e-3}


def outputs(look: int) -> Pictures:
    """As different and lively as the real ones, and others at each look."""
    rng = np.random.default_rng(look + 1)
    return [rng.integers(20, 236, (8, 8, 3), np.uint8) for _ in range(6)]


def watched(
    health: Health,
    *,
    looks: Sequence[int] = range(1, 11),
    pictures: Callable[[int], Pictures] = outputs,
    lead: float = 0.8,
    gradients: Callable[[int], dict[str, float]] = lambda step: ALIVE,
    rate_factor: float = 1.0,
    real: Pictures = REAL,
) -> list[tuple[int, Finding]]:
    """What is told at looks number ..., 50 steps apart."""
    told = []
    for look in looks:
        for step in range(50 * look - 49, 50 * look + 1):
            if step == 1 or step % 10 == 0:
                health.step(step, leads={"discriminator": lead}, gradients=gradients(step))
        found = health.look(50 * look, pictures(look), real, rate_factor=rate_factor)
        told += [(50 * look, finding) for finding in found]
    return told


def names(told: list[tuple[int, Finding]]) -> set[str]:
    return {finding.name for _, finding in told}


def grey(level: int) -> Callable[[int], Pictures]:
    """Blank outputs of slightly different brightness."""
    return lambda look: [np.full((8, 8, 3), level + index % 2, np.uint8) for index in range(6)]


def one_picture(look: int) -> Pictures:
    """One lively picture for every input, another at each look."""
    return [outputs(look)[0]] * 6


def test_a_healthy_training_hears_nothing() -> None:
    assert watched(Health(translates=False), looks=range(1, 30)) == []


@pytest.mark.parametrize("level", [0, 254, 128])
def test_blank_outputs_are_found_and_nothing_that_follows_from_them(level: int) -> None:
    told = watched(Health(translates=False), pictures=grey(level))
    assert [(step, finding.name) for step, finding in told] == [(250, "constant_output")]
    assert "rates.generator" in told[0][1].message


def test_blank_pictures_may_have_blank_outputs() -> None:
    assert watched(Health(translates=False), pictures=grey(128), real=grey(100)(0)) == []


def test_outputs_that_are_alike_are_told_with_the_remedy_by_name() -> None:
    told = watched(Health(translates=False), pictures=one_picture)
    assert [(step, *finding) for step, finding in told] == [
        (250, "outputs_alike", "outputs have become alike: try minibatch_discrimination or unrolled", False)
    ]


def test_a_translator_is_told_of_its_sources() -> None:
    (_, finding), *others = watched(Health(translates=True), pictures=one_picture)
    assert others == []
    assert "whatever their sources" in finding.message
    assert "method.l1_weight" in finding.message


def test_outputs_at_the_ends_of_the_range_are_found_unless_the_pictures_lie_there_too() -> None:
    def ends(look: int) -> Pictures:
        return [np.where(picture > 127, np.uint8(255), np.uint8(0)) for picture in outputs(look)]

    assert names(watched(Health(translates=False), pictures=ends)) == {"saturated_output"}
    assert watched(Health(translates=False), pictures=ends, real=ends(0)) == []


def test_a_gradient_that_falls_to_nothing_beside_its_beginnings_is_found_while_the_critic_wins() -> None:
    def falls(step: int) -> dict[str, float]:
        return {"generator": 1e-3 if step <= 20 else 0.9e-5, "discriminator": 1e-3}

    assert names(watched(Health(translates=False), gradients=falls, lead=1.0)) == {"gradient_vanished"}
    assert watched(Health(translates=False), gradients=falls, lead=0.6) == []


def test_a_gradient_that_was_never_there_is_found_whoever_wins() -> None:
    none = {"generator": 1e-10, "discriminator": 1e-3}
    assert names(watched(Health(translates=False), gradients=lambda step: none, lead=0.6)) == {"gradient_vanished"}


def test_one_wild_batch_does_not_hide_a_gradient_that_has_vanished() -> None:
    def wild(step: int) -> dict[str, float]:
        return {"generator": 1.0 if step <= 20 or step % 100 == 0 else 1e-5}

    assert names(watched(Health(translates=False), gradients=wild, lead=1.0)) == {"gradient_vanished"}


def test_numbers_that_overflowed_in_half_precision_are_passed_over() -> None:
    def overflows(step: int) -> dict[str, float]:
        return {"generator": float("inf") if step % 20 == 0 else 1e-3}

    health = Health(translates=False)
    assert watched(health, gradients=overflows, lead=1.0) == []
    assert health.numbers["gradient_generator"] == 1.0


def test_a_critic_with_nothing_left_to_learn_is_found_and_one_that_only_wins_is_not() -> None:
    def learnt(step: int) -> dict[str, float]:
        return {"generator": 1e-3, "discriminator": 1e-3 if step <= 20 else 0.9e-5}

    assert names(watched(Health(translates=False), gradients=learnt, lead=1.0)) == {"critic_saturated"}
    assert watched(Health(translates=False), lead=1.0) == []
    assert watched(Health(translates=False), gradients=learnt, lead=0.9) == []


def test_a_critic_that_has_won_and_still_teaches_is_left_alone() -> None:
    def livelier(look: int) -> Pictures:
        share = min(1.0, 0.3 * 1.07**look)
        return [(128 + share * (picture.astype(int) - 128)).astype(np.uint8) for picture in outputs(look)]

    def learnt(step: int) -> dict[str, float]:
        return {"generator": 1e-3, "discriminator": 1e-3 if step <= 20 else 0.9e-5}

    assert watched(Health(translates=False), pictures=livelier, gradients=learnt, lead=1.0) == []


def test_a_critic_whose_game_is_over_is_forgotten() -> None:
    health = Health(translates=False)
    learnt = {"first": 1e-3, "generator": 1e-3}
    for step in (5, 10):
        health.step(step, leads={"first": 1.0}, gradients=learnt)
    for step in (30, 40, 50, 60, 70):
        health.step(step, leads={"first": 1.0}, gradients=learnt | {"first": 1e-6})
    told = watched(health, lead=0.6, looks=range(2, 12))
    assert [(step, finding.name, finding.passed) for step, finding in told] == [
        (250, "critic_saturated", False),
        (450, "critic_saturated", True),  # unheard of for 250 steps at look 350
    ]
    assert "told_apart_first" not in health.numbers


def test_a_critic_that_guesses_is_found_only_where_anyone_would_see_the_difference() -> None:
    def pale(look: int) -> Pictures:
        return [(128 + (picture.astype(int) - 128) // 3).astype(np.uint8) for picture in outputs(look)]

    assert names(watched(Health(translates=False), pictures=pale, lead=0.5)) == {"critic_blind"}
    assert watched(Health(translates=False), pictures=pale, lead=0.7) == []
    assert watched(Health(translates=False), lead=0.5) == []


def test_outputs_that_stand_still_are_found_unless_the_schedule_or_the_critic_lets_them_rest() -> None:
    def still(look: int) -> Pictures:
        return outputs(0)

    assert names(watched(Health(translates=False), pictures=still, lead=1.0)) == {"standing_still"}
    assert watched(Health(translates=False), pictures=still, lead=1.0, rate_factor=0.4) == []
    assert watched(Health(translates=False), pictures=still, lead=0.7) == []


def test_outputs_that_swing_to_and_fro_are_found() -> None:
    def swinging(look: int) -> Pictures:
        return [picture // 3 + (150 if look // 2 % 2 else 10) for picture in outputs(look)]

    def drifting(look: int) -> Pictures:
        return [picture // 3 + 15 * min(look, 10) for picture in outputs(look)]

    assert "oscillation" in names(watched(Health(translates=False), pictures=swinging))
    assert "oscillation" not in names(watched(Health(translates=False), pictures=drifting))


@pytest.mark.parametrize(
    ("values", "turns"),
    [
        ([0, 0, 0], 0),
        ([0, 5, 10, 20], 0),
        ([0, 10, 0, 10], 2),
        ([0, 9, 0, 9], 0),
        ([0, 10, 4, 14, 3], 1),  # back by 6 alone is no swing; 14 to 3 is
        ([20, 6, 8, 17, 17, 2], 2),
    ],
)
def test_a_sequence_returns_where_it_turns_by_the_least_both_ways(values: list[float], turns: int) -> None:
    assert returns(values, least=10) == turns


def test_nothing_is_held_against_the_first_steps_and_one_bad_look_is_not_told() -> None:
    def at(bad: set[int]) -> Callable[[int], Pictures]:
        return lambda look: one_picture(look) if look in bad else outputs(look)

    early = set(range(1, GRACE // 50 + LASTING))
    assert watched(Health(translates=False), pictures=at(early)) == []
    assert watched(Health(translates=False), pictures=at({4, 5, 7, 8})) == []
    assert names(watched(Health(translates=False), pictures=at({4, 5, 6}))) == {"outputs_alike"}


def test_a_finding_is_told_once_and_when_it_has_passed_and_again_when_it_comes_back() -> None:
    def in_turn(look: int) -> Pictures:
        return outputs(look) if 10 <= look < 15 and look != 11 else one_picture(look)

    health = Health(translates=False)
    told = watched(health, pictures=in_turn, looks=range(1, 15))
    assert [(step, finding.name, finding.passed) for step, finding in told] == [
        (250, "outputs_alike", False),
        (700, "outputs_alike", True),  # looks 12, 13, 14: look 11 was bad again
    ]
    assert told[1][1].message == "it has passed: outputs have become alike"
    assert health.open == []
    again = watched(health, pictures=in_turn, looks=range(15, 19))
    assert [(step, finding.passed) for step, finding in again] == [(850, False)]
    assert health.open == ["outputs_alike"]


def test_what_is_still_growing_is_not_complained_of() -> None:
    def growing(look: int) -> Pictures:
        share = min(0.02 * 1.2**look, 1.0)
        base = outputs(0)[0].astype(float)
        return [(base + share * (picture - base)).round().astype(np.uint8) for picture in outputs(1)]

    health = Health(translates=False)
    assert watched(health, pictures=growing, looks=range(1, 14)) == []
    assert any(look["diversity"] < 0.1 for look in health._looks[:3])


def test_a_state_that_went_through_a_checkpoint_goes_on_alike(tmp_path: Path) -> None:
    def falls(step: int) -> dict[str, float]:
        return {"generator": 1e-3 / step**2, "discriminator": 1e-3}

    def hard(look: int) -> Pictures:
        return one_picture(look) if look < 7 else outputs(0)

    whole = Health(translates=False)
    watched(whole, pictures=hard, gradients=falls, lead=1.0, looks=range(1, 5))
    saved = checkpoint.save(tmp_path, {"health": whole.state()}, step=1, digest="")
    expected = watched(whole, pictures=hard, gradients=falls, lead=1.0, looks=range(5, 14))
    later = Health(translates=False)
    later.load_state(checkpoint.read(saved)["health"])
    assert watched(later, pictures=hard, gradients=falls, lead=1.0, looks=range(5, 14)) == expected
    assert len(expected) > 1
    later.load_state({})
    assert later.state() == Health(translates=False).state()


def test_every_remedy_names_something_that_there_is() -> None:
    parts = {"discriminator", "generator"}  # players: names under optimiser.rates
    for remedy in [*REMEDIES.values(), *TRANSLATORS.values()]:
        assert len(remedy.tries) == len(remedy.names) > 0
        for name in remedy.names:
            assert name in STABILISERS or name in OBJECTIVES or is_option(name, parts), name
    words = {word for remedy in REMEDIES.values() for phrase in remedy.tries for word in re.findall(r"\w+_\w+", phrase)}
    assert words <= {"weight_clipping"} <= set(STABILISERS)


def is_option(name: str, players: set[str]) -> bool:
    """Whether a dotted path leads to an option of a recipe, in one part at least of where it may be any part."""
    head, *rest = name.split(".")
    field = recipe_model().model_fields.get(head)
    if field is None:
        return False
    if not rest:
        return True
    kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
    kinds += [inner for kind in kinds for inner in getattr(kind, "__args__", ())]
    known = set().union(*(kind.model_fields for kind in kinds if hasattr(kind, "model_fields")))
    return rest[0] in known and (len(rest) == 1 or (rest[0] == "rates" and rest[1] in players))


def test_an_option_that_is_not_there_is_no_remedy() -> None:
    assert is_option("optimiser.rates.generator", {"generator"})
    assert not is_option("optimiser.rates.critic", {"generator"})
    assert not is_option("optimiser.speed", set())


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_the_numbers_of_pictures_are_those_of_their_definitions() -> None:
    real = [np.full((2, 2, 1), level, np.uint8) for level in (50, 110)]
    real[0][0, 0] = 90
    made = [np.full((2, 2, 1), level, np.uint8) for level in (0, 15)]
    made[0][0] = 10
    found = compared(made, real, before=np.zeros((2, 2, 2, 1), np.float32))
    apart = (20 + 3 * 60) / 4
    assert found["apart"] == apart
    assert found["diversity"] == pytest.approx((5 * 2 + 15 * 2) / 4 / apart)
    # medians over pictures: 40 in one of four corners has the deviation 40 sqrt(3) / 4
    assert found["contrast"] == pytest.approx((5 + 0) / (40 * 3**0.5 / 4 + 0))
    assert found["middle"] == 0.75
    assert (found["level"], found["real_level"]) == (10.0, 85.0)
    assert found["moved"] == 10.0


def test_thumbnails_are_means_over_blocks_of_pictures_of_any_size() -> None:
    rng = np.random.default_rng(0)
    wide, small = rng.integers(0, 256, (64, 96, 3), np.uint8), rng.integers(0, 256, (40, 32, 3), np.uint8)
    reduced = thumbnails([wide], [small])
    assert reduced.shape == (1, 32, 32, 3)
    expected = wide.reshape(32, 2, 32, 3, 3).mean((1, 3))
    assert np.allclose(reduced[0], expected, atol=1e-4)  # float32 sums of six values
    assert thumbnails([small], [wide])[0].mean() == pytest.approx(small.mean(), rel=0.02)
    assert thumbnails([wide], [small[:5]]).shape == (1, 5, 5, 3)


def test_a_single_picture_is_no_distance_from_any_other() -> None:
    assert distance(np.ones((1, 4, 4, 3), np.float32)) == 0
    found = compared(REAL[:1], REAL[:1])
    assert "diversity" not in found
    assert found["contrast"] == 1
