"""What is said about the progress where there is no terminal."""

from __future__ import annotations

import re
import time

import pytest

from i2i.training import progress
from i2i.training.progress import Progress

LOSSES = {"d_real": 0.25, "g_l1": 12.3456}


def test_the_last_step_is_told_with_losses_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(0, 2) as bar:
        bar.advance(LOSSES)
        assert capsys.readouterr().err == ""
        bar.advance(LOSSES)
    said = capsys.readouterr()
    assert re.fullmatch(r"step 2/2  \d+ ms/step  0\.0 min left  d_real 0\.250  g_l1 12\.346\n", said.err)
    assert said.out == ""


def test_a_line_comes_every_half_minute(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Progress(10, 100) as bar:
        for _ in range(16):
            now[0] += 4.0
            assert bar.advance({"g": 1.0}) == pytest.approx(4000)
    # 32 s after the start, then 32 s after that line; 82 and 74 steps of 4 s are left
    assert capsys.readouterr().err.splitlines() == [
        "step 18/100  4000 ms/step  5.5 min left  g 1.000",
        "step 26/100  4000 ms/step  4.9 min left  g 1.000",
    ]


def test_a_resumed_run_counts_only_its_own_steps_for_the_speed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Progress(98, 100) as bar:
        for _ in range(2):
            now[0] += 1.0
            bar.advance({})
    assert capsys.readouterr().err.startswith("step 100/100  1000 ms/step")


def test_the_duration_of_a_step_is_measured_in_milliseconds() -> None:
    with Progress(0, 9, shown=False) as bar:
        time.sleep(0.05)
        assert 50 <= bar.advance({}) < 5000


def test_other_processes_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(0, 1, shown=False) as bar:
        bar.advance(LOSSES)
        bar.say("a line")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_line_of_its_own_leaves_the_bar_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: terminal, raising=False)
    with Progress(0, 2) as bar:
        bar.advance(LOSSES)
        bar.say("step 1: all is well")
    said = capsys.readouterr()
    # A bar is taken away before the line, and comes again below it.
    assert "step 1: all is well\n" in re.sub(r".*\r", "", said.err)
    assert said.out == ""


def test_on_a_terminal_it_is_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with Progress(3, 4) as bar:
        bar.advance(LOSSES)
    said = capsys.readouterr().err
    assert "4/4" in said
    assert "g_l1 12.346" in said
    assert "ms/step" not in said
