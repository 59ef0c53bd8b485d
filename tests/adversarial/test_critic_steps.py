"""Critic steps: when the generator plays, and what a log says in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from i2i.adversarial.stabilisers.critic_steps import CriticSteps
from tests.adversarial.parts import pix2pix, train
from tests.training.conftest import Train, pairs, run_tiny

__all__ = ["pairs", "run_tiny"]


def test_six_steps_of_three_step_the_generator_twice() -> None:
    method, engine = pix2pix([CriticSteps(count=3)])
    moved = []
    for step in range(6):
        before = [parameter.detach().clone() for parameter in method.generator.parameters()]
        (losses,) = train(method, engine, range(step, step + 1))
        moved.append(any(not torch.equal(a, b) for a, b in zip(before, method.generator.parameters(), strict=True)))
        assert ("g_adversarial" in losses, "g_l1" in losses, "d_real" in losses) == (moved[-1], moved[-1], True)
    assert moved == [False, False, True, False, False, True]
    assert int(method.duel.turns) == 6


def test_a_restored_training_knows_whose_turn_it_is() -> None:
    one, two = (pix2pix([CriticSteps(count=3)]) for _ in range(2))
    train(*one, 2)
    two[0].load_state_dict(one[0].state_dict())
    two[1].load_state(one[1].state())
    losses = train(*two, range(2, 5))
    assert losses == train(*one, range(2, 5))
    assert ["g_l1" in step for step in losses] == [True, False, False]


def test_the_rarest_generator_of_two_rules_wins() -> None:
    method, engine = pix2pix([CriticSteps(count=2), CriticSteps(count=3)])
    assert ["g_l1" in step for step in train(method, engine, 6)] == [False] * 5 + [True]


def test_without_a_discriminator_the_generator_plays_in_every_step() -> None:
    method, engine = pix2pix([CriticSteps(count=3)], adversarial_weight=0.0)
    assert [set(step) for step in train(method, engine, 2)] == [{"g_l1"}] * 2


def test_the_log_has_the_newest_losses_of_both_players(run_tiny: Train, tmp_path: Path) -> None:
    change = {"stabilisers": [{"type": "critic_steps", "count": 3}], "training": {"steps": 5}}
    run_tiny("run", change)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["losses"] for line in lines if "losses" in line]
    assert ["g_l1" in entry for entry in losses] == [False, False, True, True, True]
    assert losses[2]["g_l1"] == losses[3]["g_l1"] == losses[4]["g_l1"]
    assert len({entry["d_real"] for entry in losses}) == 5
    assert "g_adversarial" in (tmp_path / "run" / "report.html").read_text()


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        CriticSteps(count=0)
