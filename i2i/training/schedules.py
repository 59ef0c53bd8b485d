"""Learning-rate schedules: a factor as a function of the step, so that a resumed run needs no schedule state."""

from __future__ import annotations

import math
from typing import Literal

ScheduleName = Literal["constant", "linear_decay", "cosine"]


def factor(name: ScheduleName, *, step: int, steps: int, constant_share: float = 0.5, warmup_steps: int = 0) -> float:
    """What the learning rate is multiplied by in iteration `step` of 0..steps-1.

    `linear_decay`: 1 for the first `constant_share` of the run, then a straight line to 0 just after its end (the
    schedule of pix2pix and CycleGAN: 100 epochs at the full rate, 100 towards zero). `cosine`: half a cosine over the
    whole run. The first `warmup_steps` are scaled by a rising line.
    """
    rise = min(1.0, (step + 1) / (warmup_steps + 1))
    if name == "constant":
        return rise
    if name == "cosine":
        return rise * 0.5 * (1 + math.cos(math.pi * step / max(steps, 1)))
    start = constant_share * steps
    return rise * (1.0 if step < start else (steps - step) / max(steps - start, 1))
