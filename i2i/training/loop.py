"""The training loop: iterations, logs, sample grids, metrics, checkpoints, and stopping in good order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from i2i import files
from i2i.errors import Exit, I2IError
from i2i.images.card import ImageCard
from i2i.methods.method import Method
from i2i.runtime.memory import is_out_of_memory
from i2i.training import checkpoint, schedules
from i2i.training.averaging import Average
from i2i.training.engine import Engine, check_finite
from i2i.training.progress import Progress
from i2i.training.signals import Stop
from i2i.training.trackers import Log
from i2i.training.watch import Examples, Watch
from i2i.weights.store import save_model


@dataclass(frozen=True, kw_only=True)
class LoopOptions:
    """How long to train and how often to do what; all `*_every` in steps, 0 for never."""

    steps: int
    seed: int = 0
    schedule: schedules.ScheduleName = "linear_decay"
    constant_share: float = 0.5
    warmup_steps: int = 0
    average_decay: float = 0.999
    log_every: int = 50
    sample_every: int = 500
    evaluate_every: int = 500
    checkpoint_every: int = 500
    keep_checkpoints: int = 2
    keep_best: str = ""
    health_every: int = 50
    tensorboard: bool = True


class Batches(Protocol):
    """An iterator of batches that is closed after use: its workers end then."""

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None:
        """End the workers, if there are any."""


class Monitor(Examples, Protocol):
    """What is looked at during training; both of these take the averaged generators by direction."""

    def sample(self, generators: Mapping[str, nn.Module]) -> NDArray[np.uint8]:
        """A grid of pictures, uint8 (H, W, 3)."""

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """Metrics by name."""


class Trainer:
    """Runs a method in a run folder, from step 0 or from the newest checkpoint.

    `batches(start, stop)` gives this process's batches of the steps start..stop-1. `gain(name, value)` grows as the
    metric gets better (for `keep_best`). `cards` describes the shipped network of each direction.
    """

    def __init__(
        self,
        method: Method,
        *,
        engine: Engine,
        cards: Mapping[str, ImageCard],
        options: LoopOptions,
        batches: Callable[[int, int], Batches],
        monitor: Monitor | None,
        gain: Callable[[str, float], float],
        run: Path,
    ) -> None:
        self.method = method
        self.engine = engine
        self.cards = dict(cards)
        self.options = options
        self.batches = batches
        self.monitor = monitor
        self.gain = gain
        self.run = run
        self.step = 0
        self.best: dict[str, float] = {}
        self.measured: dict[str, float] = {}
        self.losses: dict[str, float] = {}
        engine.place(method)
        engine.processes.copy_from_first(method)
        self.averages = {
            name: Average(network, decay=options.average_decay) for name, network in method.generators().items()
        }
        self.watch = Watch(
            method,
            engine,
            monitor if engine.processes.rank == 0 else None,
            every=options.health_every,
            translates=next(iter(self.cards.values())).latent is None,
        )

    # -- state ---------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The whole state: equal states train on alike, bit for bit. There is no generator state among it: noise and
        order are functions of seed and step.
        """
        return {
            "step": self.step,
            "best": self.best,
            "losses": self.losses,
            "method": self.method.state_dict(),
            "engine": self.engine.state(),
            "averages": {name: average.state_dict() for name, average in self.averages.items()},
            "health": self.watch.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.method.load_state_dict(state["method"])
        self.engine.load_state(state["engine"])
        for name, average in self.averages.items():
            average.load_state_dict(state["averages"][name])
        self.watch.load_state(state.get("health", {}))
        self.step = int(state["step"])
        self.losses = dict(state.get("losses", {}))
        # A best value of another metric says nothing about this one.
        self.best = {name: value for name, value in state.get("best", {}).items() if name == self.options.keep_best}

    def resume(self) -> list[str]:
        """Load the newest complete checkpoint; returns a line for each newer one that had to be passed over."""
        path, complaints = checkpoint.newest(self.run / "checkpoints")
        self.load_state(checkpoint.read(path))
        return complaints

    # -- the loop ------------------------------------------------------------------------------------------------

    def train(self) -> Exit:
        """Train to the last step, or to a signal. Raises `I2IError` (E_NONFINITE) for NaN or infinity."""
        resumed = self.step if self.step else None
        first = self.engine.processes.rank == 0
        shown = Progress(self.step, self.options.steps, shown=first)
        with Stop() as stop, self._log(resumed) as log, shown as bar, self._explained():
            if self.step == 0 and first:
                self._look(log)
            with closing(self.batches(self.step, self.options.steps)) as batches:
                for batch in batches:
                    self._advance(batch, log, bar)
                    stopping = self.engine.processes.any(stop.exit_code is not None)
                    if stopping or self.step == self.options.steps or self._due(self.options.checkpoint_every):
                        self.save()
                    if stopping:
                        return stop.exit_code or Exit.SIGTERM
        return Exit.DONE

    def _advance(self, batch: Any, log: Log, bar: Progress) -> None:
        """One iteration and what is said and shown after it."""
        self.measured = {}
        self.watch.before(self.step + 1)
        # A player may sit out a step: what is said of its losses is then what they last were.
        self.losses |= self._iterate(batch)
        self.step += 1
        self._report(self.losses, log, bar)
        self._examine(log, bar)
        if self.engine.processes.rank == 0:
            self._look(log, last=self.step == self.options.steps)

    def _iterate(self, batch: Any) -> dict[str, float]:
        engine = self.engine
        engine.begin(seed=self.options.seed, step=self.step, rate_factor=self._rate_factor())
        parts = split(engine.batch(batch), engine.accumulate_steps)
        sums: dict[str, Tensor] = {}
        for index, part in enumerate(parts):
            engine.part(index)
            for name, loss in self.method.training_step(part, engine).items():
                sums[name] = sums.get(name, torch.zeros_like(loss)) + loss / len(parts)
        engine.end()
        losses = {name: float(value) for name, value in sums.items()}
        check_finite(losses)
        for name, network in self.method.generators().items() if not engine.ahead else ():
            self.averages[name].update(network)
        return losses

    def _rate_factor(self) -> float:
        """What the schedule makes of the learning rates in the step to come."""
        options = self.options
        return schedules.factor(
            options.schedule,
            step=self.step,
            steps=options.steps,
            constant_share=options.constant_share,
            warmup_steps=options.warmup_steps,
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Numbers that break and memory that runs out, told with the step, the last good state and the remedy."""
        try:
            yield
        except I2IError as error:
            if error.code != "E_NONFINITE":
                raise
            remedy = (
                "Start a new run, from the last model with --init, with a lower --optimiser.learning_rate, "
                "--training.precision fp32 or --training.clip_norm 1"
            )
            message = f"step {self.step + 1}: {error.message}; it was not saved. {self._last_good()}. {remedy}"
            raise I2IError(error.code, message, path=self.run) from None
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            remedy = "a smaller training.batch_size, more training.accumulate_steps or a narrower network need less"
            raise I2IError("E_OOM", f"step {self.step + 1} needs more memory than there is; {remedy}") from error

    def _last_good(self) -> str:
        try:
            return f"The last good state is {checkpoint.newest(self.run / 'checkpoints')[0].name}"
        except I2IError:
            return "There is no earlier checkpoint"

    def _due(self, every: int) -> bool:
        return bool(every) and self.step % every == 0

    # -- what is written -----------------------------------------------------------------------------------------

    def _log(self, resumed: int | None) -> Log:
        if self.engine.processes.rank == 0:
            return Log(self.run, resume_step=resumed, tensorboard=self.options.tensorboard)
        return Log(None)

    def _report(self, losses: Mapping[str, float], log: Log, bar: Progress) -> None:
        milliseconds = bar.advance(losses)
        if self._due(self.options.log_every) or self.step in (1, self.options.steps):
            names = list(losses)
            means = torch.tensor([losses[name] for name in names], dtype=torch.float64)
            self.engine.processes.average([means])
            rates = {name: optimiser.rate for name, optimiser in self.engine.optimisers.items()}
            entry = {"losses": dict(zip(names, means.tolist(), strict=True)), "learning_rates": rates}
            log.write(self.step, {"time": time.time(), "ms_per_step": milliseconds, **entry})

    def _examine(self, log: Log, bar: Progress) -> None:
        """Write and say what there is about the health of the training."""
        findings = self.watch.after(self.step, rate_factor=self._rate_factor())
        if findings is None:
            return
        told = {"findings": [finding._asdict() for finding in findings]} if findings else {}
        log.write(self.step, {"health": self.watch.health.numbers | told})
        for finding in findings:
            bar.say(f"step {self.step}: {finding.message}")

    def _look(self, log: Log, *, last: bool = False) -> None:
        """Write the sample grid and the metrics where they are due."""
        if self.monitor is None:
            return
        generators = {name: average.network for name, average in self.averages.items()}
        if last or self._due(self.options.sample_every):
            pixels = self.monitor.sample(generators)
            _write_png(self.run / "samples" / f"{self.step:08d}.png", pixels)
            log.picture(self.step, "samples", pixels)
        if self.step and (last or self._due(self.options.evaluate_every)):
            metrics = self.monitor.measure(generators)
            log.write(self.step, {"metrics": metrics})
            self.measured = metrics
            self._keep_best(metrics)

    def _keep_best(self, metrics: Mapping[str, float]) -> None:
        name = self.options.keep_best
        if name not in metrics:
            return
        gain = self.gain(name, metrics[name])
        if name not in self.best or gain > self.best[name]:
            self.best = {name: gain}
            self._save_model()

    def save(self) -> None:
        """Write a checkpoint and, unless only the best is kept, the model folder."""
        if self.engine.processes.rank == 0:
            digest = next(iter(self.cards.values())).recipe_digest
            folder = self.run / "checkpoints"
            checkpoint.save(folder, self.state(), step=self.step, digest=digest, keep=self.options.keep_checkpoints)
            if not self.best:
                self._save_model()
        self.engine.processes.wait()

    def _save_model(self) -> None:
        for index, (direction, average) in enumerate(self.averages.items()):
            card = self.cards[direction].model_copy(update={"step": self.step, "metrics": self.measured})
            folder = self.run / ("model" if index == 0 else f"model-{direction}")
            save_model(folder, average.network, card, overwrite=True)


def split(batch: Any, count: int) -> list[Any]:
    """The batch in `count` parts of equal size."""
    if count == 1:
        return [batch]
    size = len(batch[0])
    if size % count:
        raise I2IError(
            "E_RECIPE", f"a batch of {size} cannot be split into {count} equal parts; change accumulate_steps"
        )
    return [type(batch)(*parts) for parts in zip(*(tensor.chunk(count) for tensor in batch), strict=True)]


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    from i2i.images.codec import encode

    path.parent.mkdir(parents=True, exist_ok=True)
    files.publish_bytes(path, encode(pixels, format="png"), overwrite=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file of the run folder, replacing an older one."""
    files.publish_text(path, json.dumps(value, indent=2) + "\n", overwrite=True)
