"""Schedules at the points that are known."""

from __future__ import annotations

import pytest

from i2i.training.schedules import factor


def test_linear_decay_is_flat_then_falls_in_a_line_to_zero_after_the_last_step() -> None:
    values = [factor("linear_decay", step=step, steps=8) for step in range(8)]
    assert values == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_cosine_falls_from_one_through_a_half() -> None:
    assert factor("cosine", step=0, steps=10) == 1
    assert factor("cosine", step=5, steps=10) == pytest.approx(0.5)
    assert factor("cosine", step=10, steps=10) == pytest.approx(0)


def test_constant_is_one_and_a_warmup_rises_to_it() -> None:
    assert [factor("constant", step=s, steps=9, warmup_steps=3) for s in range(5)] == [0.25, 0.5, 0.75, 1, 1]


def test_a_share_of_one_never_decays() -> None:
    assert factor("linear_decay", step=9, steps=10, constant_share=1.0) == 1
