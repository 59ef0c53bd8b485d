"""Resume, shown: trainings that were interrupted and resumed end in the same state, bit for bit, as uninterrupted ones.

    python tools/resume_table.py [--precision fp32 bf16] [--workers 0 2] [--interrupt term:2 kill:5]

For each precision and number of workers a tiny pix2pix training on the bundled pairs runs once undisturbed. Then it is
begun again, a process group at a time, stopped by SIGTERM or killed by SIGKILL at about the given step, and resumed by
a new process. `digest` is over all that a checkpoint holds: weights, both optimisers, averages, position. The exit code
is 1 when one differs. `at` is the step of the checkpoint that the resumed run went on from: SIGTERM saves the step in
progress (no other checkpoint is written in that run), SIGKILL leaves the last one of a checkpoint at every step.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

from i2i.errors import I2IError
from i2i.training import checkpoint

ROOT = Path(__file__).resolve().parent.parent
EARTH = ROOT / "tests" / "data" / "earth"
STEPS = 8
TINY = (
    *("--data.source", "satellite", "--data.target", "relief", "--data.augmentation.flips", "[]"),
    *("--data.augmentation.size", "64", "--data.augmentation.mode", "crop", "--stabilisers", "diffaugment"),
    *("--generator.channels", "8", "--generator.depth", "4", "--discriminator.channels", "8"),
    *("--training.batch_size", "4", "--training.threads", "1", "--training.tensorboard", "false"),
    *("--training.log_every", "1", "--training.sample_every", "0", "--training.evaluate_every", "0"),
    *("--training.monitored_pictures", "1", "--training.metrics", "l1"),
)
TRIES = 5


class Case(NamedTuple):
    """One training: where its pairs are, its precision and its number of loader processes."""

    data: Path
    precision: str
    workers: int


class Interruption(NamedTuple):
    """`number` is sent when `step` stands in the log."""

    number: signal.Signals
    step: int


class Ending(NamedTuple):
    """How a training ended: `at` which step it was interrupted `by` what, and its last state's digest."""

    at: str
    by: str
    digest: str


class TooLateError(Exception):
    """The training was over before the signal came."""


def command(case: Case, run: Path, *more: str) -> list[str]:
    """The command line of a training."""
    words = [sys.executable, "-m", "i2i", "train", "pix2pix", "--data", str(case.data), "--out", str(run)]
    own = ["--training.precision", case.precision, "--training.workers", str(case.workers)]
    return [*words, *TINY, *own, "--steps", str(STEPS), *more]


@contextmanager
def started(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, one thread a process; the group does not outlive the block."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def complete(words: list[str]) -> None:
    """Run a command to its end. Raises RuntimeError with what it said unless it succeeds."""
    with started(words) as process:
        _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {said}")


def final(run: Path) -> tuple[int, str]:
    """Step and digest of the newest complete checkpoint."""
    state = checkpoint.read(checkpoint.newest(run / "checkpoints")[0])
    return int(state["step"]), checkpoint.digest(state)


def interrupt(case: Case, run: Path, interruption: Interruption) -> int:
    """Begin a training and stop it; returns the step of its newest checkpoint. Raises `TooLateError`, RuntimeError."""
    number, step = interruption
    every = "1" if number is signal.SIGKILL else "0"
    log = run / "log.jsonl"
    with started(command(case, run, "--training.checkpoint_every", every)) as process:
        while process.poll() is None and not (log.exists() and log.read_text().count("\n") >= step):
            time.sleep(0.001)
        if process.poll() is None:
            os.killpg(process.pid, number)
        _, said = process.communicate()
    if process.returncode == 0:
        raise TooLateError
    if process.returncode != (-signal.SIGKILL if number is signal.SIGKILL else 128 + number):
        raise RuntimeError(f"exit code {process.returncode} after {number.name}: {said}")
    at = final(run)[0]
    if at >= STEPS:
        raise TooLateError
    return at


def resumed(case: Case, folder: Path, interruption: Interruption) -> tuple[int, str]:
    """Interrupt a training and resume it: the step it went on from and the digest it ends with."""
    for trial in range(TRIES):
        run = folder / str(trial)
        try:
            at = interrupt(case, run, interruption)
        except TooLateError:
            continue
        complete(command(case, run, "--training.checkpoint_every", "0", "--resume"))
        return at, final(run)[1]
    raise RuntimeError(f"the training was over before the signal came, {TRIES} times")


def ended(case: Case, interruptions: list[Interruption], folder: Path) -> Iterator[Ending]:
    """The endings of one case, the undisturbed training's first."""
    complete(command(case, folder / "whole", "--training.checkpoint_every", "0"))
    yield Ending("-", "-", final(folder / "whole")[1])
    for index, interruption in enumerate(interruptions):
        at, digest = resumed(case, folder / str(index), interruption)
        yield Ending(str(at), interruption.number.name, digest)


def show(case: Case, endings: Iterable[Ending]) -> bool:
    """Print a line for each ending; whether all have the digest of the first."""
    expected, equal = "", True
    for at, by, digest in endings:
        same = digest == (expected or digest)
        verdict = "" if not expected else "yes" if same else "NO"
        print(f"{case.precision:9}  {case.workers:7}  {at:>2}  {by:7}  {digest[:16]:16}  {verdict}", flush=True)
        expected, equal = expected or digest, equal and same
    return equal


def interruption(text: str) -> Interruption:
    """Read `term:2` or `kill:4`."""
    name, _, step = text.partition(":")
    numbers = {"term": signal.SIGTERM, "kill": signal.SIGKILL}
    if name not in numbers or not step.isdigit() or not 0 < int(step) < STEPS:
        raise argparse.ArgumentTypeError(f"'{text}' is not like term:2 or kill:4, with a step of 1..{STEPS - 1}")
    return Interruption(numbers[name], int(step))


def main(argv: list[str] | None = None) -> int:
    """Print the table; returns 1 when a digest differs or a run fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=EARTH, metavar="DIR", help="pairs of satellite/ and relief/")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=["fp32", "bf16", "fp64"])
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 2], metavar="N")
    chosen = [interruption(text) for text in ("term:2", "kill:5")]
    parser.add_argument("--interrupt", nargs="+", type=interruption, default=chosen, metavar="SIGNAL:STEP")
    arguments = parser.parse_args(argv)
    print(f"{'precision':9}  {'workers':7}  at  {'by':7}  {'digest':16}  equal")
    equal = True
    try:
        for precision, workers in product(arguments.precision, arguments.workers):
            with tempfile.TemporaryDirectory() as folder:
                case = Case(arguments.data.resolve(), precision, workers)
                equal = show(case, ended(case, arguments.interrupt, Path(folder))) and equal
    except (RuntimeError, I2IError) as error:
        print(error, file=sys.stderr)
        return 1
    return int(not equal)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that trainings are ended
    sys.exit(main())
