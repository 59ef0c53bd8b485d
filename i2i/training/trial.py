"""A few steps before step 0, on a throwaway copy: how long a step takes, and which precision is fastest here.

Half precision is faster where the processor computes in it and slower where it does not, so it is measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from i2i.methods.method import Method
from i2i.training.engine import Engine, Precision
from i2i.training.optimisers import OptimiserSettings

_WARMUP_STEPS = 2
_TIMED_STEPS = 3
_HOPELESS = 4.0  # a step that takes so many times what the fastest precision takes is the last with its own


def step_milliseconds(
    make: Callable[[], Method],
    batch: Any,
    *,
    settings: Mapping[str, OptimiserSettings],
    precisions: Sequence[Precision],
    device: torch.device,
    channels_last: bool,
) -> dict[Precision, float]:
    """The median time of a training step on `batch` in each precision, in milliseconds.

    On a CPU that has to imitate a precision one step can take a minute: there the first tells enough. On a GPU the
    first step is never a measure.
    """
    found: dict[Precision, float] = {}
    for precision in precisions:
        method = make()
        players = method.players()
        engine = Engine(players, settings=settings, device=device, precision=precision, channels_last=channels_last)
        method.to(device)
        placed = engine.batch(batch)
        times = []
        for step in range(_WARMUP_STEPS + _TIMED_STEPS):
            start = time.perf_counter()
            engine.begin(seed=0, step=step, rate_factor=1.0)
            method.training_step(placed, engine)
            engine.end()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times.append(1000 * (time.perf_counter() - start))
            told = step > 0 or device.type == "cpu"
            if told and found and times[-1] > _HOPELESS * min(found.values()):
                break
        found[precision] = statistics.median(times[_WARMUP_STEPS:] or times[-1:])
    return found


def fastest(found: Mapping[Precision, float]) -> Precision:
    """The precision to train in: the fastest, but another than the first only if it saves a tenth of the time."""
    first = next(iter(found))
    best = min(found, key=lambda name: found[name])
    return best if found[best] < 0.9 * found[first] else first


def candidates(device: torch.device) -> tuple[Precision, ...]:
    """The precisions worth measuring on a device."""
    return ("fp32", "bf16") if device.type == "cpu" else ("fp32", "bf16", "fp16")
