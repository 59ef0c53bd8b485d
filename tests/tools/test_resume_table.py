"""The table of interrupted and resumed trainings."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import resume_table
from resume_table import Case, Ending, Interruption

ROW = re.compile(r"fp32 +0 +(-|\d) +(-|SIGKILL) +([0-9a-f]{16}) +(yes|)")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Eight training pairs of 70x80 px."""
    rng = np.random.default_rng(0)
    for side in ("satellite", "relief"):
        (tmp_path / "train" / side).mkdir(parents=True)
        for index in range(8):
            pixels = rng.integers(0, 256, (70, 80, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "train" / side / f"{index}.png")
    return tmp_path


@pytest.mark.slow
def test_a_killed_and_resumed_training_has_the_digest_of_an_undisturbed_one(
    pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choice = ["--precision", "fp32", "--workers", "0", "--interrupt", "kill:3"]
    assert resume_table.main(["--data", str(pairs), *choice]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["precision", "workers", "at", "by", "digest", "equal"]
    whole, cut = (ROW.fullmatch(line.rstrip() + " " * (not line.rstrip().endswith("yes"))) for line in lines)
    assert whole is not None
    assert cut is not None
    assert whole[3] == cut[3]
    assert (whole[1], cut[2], cut[4]) == ("-", "SIGKILL", "yes")
    # a checkpoint follows its line in the log, so the newest is at most one step behind the signal or some steps after
    assert 2 <= int(cut[1]) < resume_table.STEPS


def test_a_digest_that_differs_is_told_and_is_not_equal(capsys: pytest.CaptureFixture[str]) -> None:
    case = Case(Path("pairs"), "fp32", 0)
    whole = Ending("-", "-", "a" * 64)
    endings = [whole, Ending("3", "SIGKILL", "a" * 15 + "b" * 49), Ending("4", "SIGTERM", "a" * 64)]
    assert resume_table.show(case, endings) is False
    assert resume_table.show(case, [whole, endings[2]]) is True
    rows = [line.split()[2:] for line in capsys.readouterr().out.splitlines()]
    assert rows[:3] == [
        ["-", "-", "a" * 16],
        ["3", "SIGKILL", "a" * 15 + "b", "NO"],
        ["4", "SIGTERM", "a" * 16, "yes"],
    ]


def test_a_training_that_fails_is_told_in_its_own_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert resume_table.main(["--data", str(tmp_path / "nowhere"), "--precision", "fp32", "--workers", "0"]) == 1
    said = capsys.readouterr().err
    assert "exit code 3" in said
    assert "nowhere" in said


def test_interruptions_are_a_signal_and_a_step() -> None:
    assert resume_table.interruption("term:2") == Interruption(signal.SIGTERM, 2)
    assert resume_table.interruption("kill:7") == Interruption(signal.SIGKILL, 7)
    for text in ("hup:2", "kill", "kill:", "kill:0", "kill:8", "kill:-1", "2"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not like term:2 or kill:4"):
            resume_table.interruption(text)
