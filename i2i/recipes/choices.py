"""What a recipe leaves open, decided on the machine at hand: device, threads, precision; and how long it will take."""

from __future__ import annotations

from typing import Any

import torch

from i2i.data.batches import loader
from i2i.errors import I2IError
from i2i.recipes.build import Builder
from i2i.runtime.memory import is_out_of_memory
from i2i.training import trial
from i2i.training.engine import Processes
from i2i.training.loop import split


def decided(recipe: Any, processes: Processes) -> tuple[Any, str]:
    """The recipe with nothing left open, and a line about speed.

    A few steps are timed on a throwaway copy. Raises `I2IError`: E_USAGE, E_RECIPE, E_OOM when not even one part of a
    batch fits into memory.
    """
    training = recipe.training
    if training.threads:
        torch.set_num_threads(training.threads)
    device = device_of(training.device, processes)
    tried = trial.candidates(device) if training.precision == "auto" else (training.precision,)
    found = _timed(recipe, processes, device, tried)
    best = tried[processes.from_first(tried.index(trial.fastest(found)))]
    listed = ", ".join(f"{name} {time:.0f} ms" for name, time in found.items())
    minutes = found[best] * training.steps / 60000
    line = f"precision {best} (a step takes {listed}); about {minutes:.1f} min for {training.steps} steps"
    chosen = {"precision": best, "device": device.type, "threads": torch.get_num_threads()}
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)}), line


def device_of(name: str, processes: Processes) -> torch.device:
    """The device of this process. Raises `I2IError` (E_USAGE) for a GPU that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise I2IError("E_USAGE", "training.device is cuda, but torch finds no usable GPU; leave it at auto")
    return torch.device("cuda", processes.local_rank) if name == "cuda" else torch.device(name)


def share(training: Any, processes: Processes) -> int:
    """How many samples of a batch fall to this process. Raises `I2IError` (E_RECIPE) when they do not come out even."""
    parts = processes.count * training.accumulate_steps
    if training.batch_size % parts:
        fits = -(-training.batch_size // parts) * parts
        message = (
            f"training.batch_size {training.batch_size} does not split into {processes.count} processes x "
            f"{training.accumulate_steps} accumulate_steps; {fits} does"
        )
        raise I2IError("E_RECIPE", message)
    return int(training.batch_size // processes.count)


def _timed(recipe: Any, processes: Processes, device: torch.device, tried: tuple[Any, ...]) -> dict[Any, float]:
    training, builder = recipe.training, Builder(recipe)
    data, method = builder.data(), builder.method()
    dataset = data.training_set(value_range=builder.value_range, seed=0)
    size = share(training, processes)
    with loader(dataset, batch_size=size, seed=0, start_step=0, stop_step=1) as batches:
        batch = next(iter(batches))
    try:
        found = trial.step_milliseconds(
            builder.method,
            split(batch, training.accumulate_steps)[0],
            settings=builder.optimisers(method),
            precisions=tried,
            device=device,
            channels_last=training.channels_last,
        )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        remedy = "a smaller training.batch_size, more training.accumulate_steps or a narrower network need less"
        raise I2IError("E_OOM", f"a training step needs more memory than there is; {remedy}") from error
    return {name: time * training.accumulate_steps for name, time in found.items()}
