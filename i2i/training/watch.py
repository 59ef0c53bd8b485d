"""Where the health of a training gets its numbers: critics' scores, players' gradients, pictures by the monitor."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.methods.method import Method
from i2i.training.engine import Engine
from i2i.training.health import Finding, Health

Picture = NDArray[np.uint8]

SCORES_EVERY = 5  # steps
GRADIENTS_EVERY = 10


class Examples(Protocol):
    """Whoever has pictures to look at."""

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """Outputs for fixed different inputs, and real pictures, uint8 (H, W, C)."""


class Watch:
    """Watches a method that an engine trains. Changes nothing about either and draws no random number.

    Every `every` steps (0: never) the generators as they are now, not their averages, which lag behind, make the
    monitor's examples; without a monitor nothing is watched. Gradients and scores are looked at more often.
    """

    def __init__(
        self, method: Method, engine: Engine, monitor: Examples | None, *, every: int, translates: bool
    ) -> None:
        networks = list(method.generators().values())
        self.every = every if monitor is not None else 0
        self._method = method
        self._engine = engine
        self._monitor = monitor
        self._duels = [
            (name, part)
            for part in method.modules()
            if isinstance(part, Duel)
            for name in _players(method, [part.discriminator])
        ]
        # What is shipped may hold more than the generator: its critic reads the picture.
        judges = {name for name, _ in self._duels}
        generators = [name for name in _players(method, networks) if name not in judges]
        self.health = Health(translates=translates, generators=generators)

    def before(self, step: int) -> None:
        """To be called before step number `step`, counted from 1: says whose gradients are to be measured."""
        if self.every and (step == 1 or step % GRADIENTS_EVERY == 0):
            # Who has no turn in this step is measured at the next one.
            self._engine.measuring |= set(self._engine.players)
        for _, duel in self._duels:
            duel.scores = None  # those of an earlier step are no news of a game that is over

    def after(self, step: int, *, rate_factor: float) -> list[Finding] | None:
        """To be called after the step; at a look, what has begun or passed (its numbers: `health.numbers`)."""
        if not self.every or self._monitor is None:
            return None
        leads = self._leads() if step % SCORES_EVERY == 0 else {}
        self.health.step(step, leads=leads, gradients=self._engine.gradients)
        self._engine.gradients.clear()
        if step % self.every:
            return None
        outputs, real = self._monitor.examples(self._method.generators())
        return self.health.look(step, outputs, real, rate_factor=rate_factor)

    def _leads(self) -> dict[str, float]:
        """How far each player is ahead that judges; the mean of its duels where it has several."""
        found: dict[str, list[float]] = {}
        for name, duel in self._duels:
            if duel.scores is not None:
                found.setdefault(name, []).append(_lead(*duel.scores))
        return {name: statistics.fmean(leads) for name, leads in found.items()}

    def state(self) -> dict[str, Any]:
        """Everything that later findings depend on."""
        return {**self.health.state(), "measuring": sorted(self._engine.measuring)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; from an empty one, which older checkpoints have, as from a run's beginning."""
        self.health.load_state(state)
        self._engine.measuring = set(state.get("measuring", ()))


def _players(method: Method, networks: Iterable[nn.Module]) -> list[str]:
    """The players to whom weights of the networks belong."""
    theirs = {id(weight) for network in networks for weight in network.parameters()}
    return [name for name, part in method.players().items() if any(id(w) in theirs for w in part.parameters())]


def _lead(real: Tensor, fake: Tensor) -> float:
    """The share of real scores above the fake ones beside them, ties by half: 0.5 is chance, whatever the objective."""
    return 0.5 + 0.5 * float((real - fake).sign().mean())
