"""Batches are the same bytes with any number of workers, and workers neither die early nor stay behind."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data.augment import Augmentation
from i2i.data.batches import Batches, loader
from i2i.data.paired import PairedFolder, find_pairs
from i2i.errors import I2IError
from i2i.images.card import Pixels

Save = Callable[..., Path]
EARTH = Path(__file__).parents[1] / "data" / "earth"

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def folder(root: Path) -> PairedFolder:
    return PairedFolder(
        find_pairs(root, split="train"),
        source_pixels=Pixels(),
        target_pixels=Pixels(colour="gray"),
        value_range=(-1.0, 1.0),
        augmentation=Augmentation(mode="crop", size=8, flips=("horizontal", "rot90"), photometric=True),
        seed=3,
    )


@pytest.fixture
def data(save: Save, tmp_path: Path) -> Path:
    """Five noisy pairs of 20 x 24."""
    noise = np.random.default_rng(0)
    for number in range(5):
        for side in "AB":
            save(f"train/{side}/{number}.png", noise.integers(0, 256, (20, 24, 3), np.uint8))
    return tmp_path


def batches(root: Path, **changes: Any) -> Batches:
    settings: dict[str, Any] = {"batch_size": 4, "seed": 3, "start_step": 0, "stop_step": 12}
    return loader(folder(root), **(settings | changes))


def content(root: Path, **changes: Any) -> list[bytes]:
    with batches(root, **changes) as made:
        return [batch.source.numpy().tobytes() + batch.target.numpy().tobytes() for batch in made]


def test_workers_change_nothing(data: Path) -> None:
    alone = content(data)
    assert len(set(alone)) == 12
    assert content(data, workers=1) == alone
    assert content(data, workers=2) == alone


@pytest.mark.parametrize("workers", [0, 2])
def test_a_restart_at_any_step_continues_the_same_batches(workers: int, data: Path) -> None:
    alone = content(data)
    for start in (1, 5, 12):
        assert content(data, start_step=start, workers=workers) == alone[start:]


def test_two_processes_see_together_what_one_would_see(data: Path) -> None:
    with batches(data, batch_size=4) as whole, batches(data, batch_size=2, rank=0, world=2) as even:
        odd = batches(data, batch_size=2, rank=1, world=2)
        for batch, first, second in zip(whole, even, odd, strict=True):
            assert torch.equal(batch.source[0::2], first.source)
            assert torch.equal(batch.source[1::2], second.source)
            assert torch.equal(batch.target[1::2], second.target)


def test_batches_have_their_shapes_types_and_number(data: Path) -> None:
    with batches(data, workers=1) as made:
        assert len(made) == 12
        batch = next(made)
    assert batch.source.shape == (4, 3, 8, 8)
    assert batch.target.shape == (4, 1, 8, 8)
    assert batch.source.dtype == batch.target.dtype == torch.float32
    assert -1 <= batch.source.min() < batch.source.max() <= 1


@pytest.mark.parametrize("workers", [0, 2])
def test_no_global_generator_is_drawn_from(workers: int, data: Path) -> None:
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    content(data, workers=workers)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_a_worker_comes_back_as_itself(workers: int, data: Path) -> None:
    dataset = folder(data)
    dataset.cache.free = 0  # nothing is kept: the file is read when its turn comes
    (data / "train/A/2.png").write_bytes(b"")
    with (
        loader(dataset, batch_size=4, seed=3, start_step=0, stop_step=12, workers=workers) as made,
        pytest.raises(I2IError) as caught,
    ):
        list(made)
    assert caught.value.code == "E_EMPTY"
    assert caught.value.path == data / "train/A/2.png"
    assert not multiprocessing.active_children()


def test_workers_ignore_the_signals_that_stop_a_run(data: Path) -> None:
    expected = content(data)
    with batches(data, workers=2) as made:
        received = [next(made)]
        for child in multiprocessing.active_children():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(child.pid or 0, number)
        received += list(made)
    assert [batch.source.numpy().tobytes() + batch.target.numpy().tobytes() for batch in received] == expected


def test_a_signal_at_the_birth_of_a_worker_does_not_kill_it(data: Path) -> None:
    with batches(data, workers=2) as made:
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGTERM)
        assert len(list(made)) == 12


def test_signals_are_received_again_by_this_process_afterwards(data: Path) -> None:
    content(data, workers=1)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert not blocked & {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@pytest.mark.parametrize("read_batches", [0, 3])
def test_closing_ends_the_workers_at_any_time(read_batches: int, data: Path) -> None:
    made = batches(data, workers=2)
    for _ in range(read_batches):
        next(made)
    assert len(multiprocessing.active_children()) == 2
    made.close()
    made.close()
    assert not multiprocessing.active_children()
    assert list(made) == []


def test_forgotten_batches_take_their_workers_with_them(data: Path) -> None:
    made = batches(data, workers=2)
    next(made)
    del made
    assert not multiprocessing.active_children()


PROGRAM = """
import multiprocessing, os, signal, sys, time
sys.path.insert(0, {folder!r})
from test_batches import Path, folder, loader
dataset = folder(Path({data!r}))
made = loader(dataset, batch_size=4, seed=3, start_step=0, stop_step=10**6, workers=2)
print(*(child.pid for child in multiprocessing.active_children()), flush=True)
{ending}
"""


def run(data: Path, ending: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a program that has two workers and then does `ending`; its process and the workers' ids."""
    text = PROGRAM.format(folder=str(Path(__file__).parent), data=str(data), ending=ending)
    process = subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    return process, [int(word) for word in process.stdout.readline().split()]


def wait_for_the_end(numbers: list[int], seconds: float) -> list[int]:
    """The processes that are still there after so many seconds."""
    end = time.monotonic() + seconds
    while numbers and time.monotonic() < end:
        time.sleep(0.05)
        numbers = [number for number in numbers if Path(f"/proc/{number}").exists()]
    return numbers


# Neither may leave the program waiting for its workers, which SIGTERM does not end: batches that are still open, and a
# traceback that keeps torch's own iterator alive until the interpreter is gone.
ENDINGS = {
    "left open": ("next(made)\nraise SystemExit(7)", 7),
    "a bug in a worker": (
        "dataset.item_of = None\n"
        "made = loader(dataset, batch_size=4, seed=3, start_step=0, stop_step=10, workers=2)\n"
        "list(made)",
        1,
    ),
}


@linux
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_that_fails_with_batches_open_ends_with_its_workers(ending: str, data: Path) -> None:
    text, code = ENDINGS[ending]
    process, workers = run(data, text)
    assert len(workers) == 2
    assert process.wait(timeout=60) == code
    assert wait_for_the_end(workers, 20) == []


@linux
def test_workers_end_when_their_parent_is_killed(data: Path) -> None:
    process, workers = run(data, "next(made)\ntime.sleep(60)")
    assert len(workers) == 2
    process.kill()
    process.wait(timeout=5)
    assert wait_for_the_end(workers, 20) == []  # each looks for its parent every second


def test_the_bundled_pairs_give_hundreds_of_crops_a_second() -> None:
    pairs = find_pairs(EARTH, split="train", source="satellite", target="relief")
    dataset = PairedFolder(
        pairs,
        source_pixels=Pixels(),
        target_pixels=Pixels(),
        value_range=(-1.0, 1.0),
        augmentation=Augmentation(mode="crop", size=128, flips=()),
        seed=0,
    )
    dataset.preload()
    with loader(dataset, batch_size=8, seed=0, start_step=0, stop_step=50) as made:
        start = time.process_time()
        for batch in made:
            assert batch.source.shape == (8, 3, 128, 128)
    # About 3,000 on one core; a tenth of it would mean that pictures are decoded again and again.
    assert 400 / (time.process_time() - start) > 300
