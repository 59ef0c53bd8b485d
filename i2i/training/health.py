"""The health of a training: the ways in which GANs fail, found from a few numbers and named with their remedies.

Goodfellow 2016, "NIPS 2016 Tutorial: Generative Adversarial Networks", arXiv 1701.00160, section 5.1 (modes that
collapse, players that circle each other); Arjovsky and Bottou 2017, "Towards Principled Methods for Training Generative
Adversarial Networks", arXiv 1701.04862, section 2 (a perfect critic leaves no gradient). How each of these shows is
ours; the thresholds were found with `tools/health.py`, and a false alarm was held to be worse than a late one.

Nothing here knows a network: numbers and pictures go in, findings come out.
"""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from i2i.training.looks import Numbers, Picture, Small, compared, thumbnails
from i2i.training.remedies import REMEDIES, remedy

GRACE = 100  # steps at the start in which nothing is held against a run: all outputs are grey and alike then
LASTING = 3  # looks in a row that a sign is there before it is told, and gone before it has passed
LOOKS = 10  # looks that are remembered
EARLY = 25  # steps whose largest gradient is what later ones are held against
LEADS = 20  # shares that are remembered of each critic, of which the mean counts
AWAY = 250  # steps after which a player without a turn is out of the game
GRADIENTS = 5  # gradients that are remembered of each player; the median counts: one wild batch says nothing

# Of 10 healthy runs the nearest to each threshold, after the grace, stands behind it, and then the failures.
CONSTANT = 0.1  # contrast inside an output; 0.28 in an early WGAN-GP; 0
SATURATED = 0.1  # values between the ends of the range; 1.0; 0
ALIKE = 0.15  # distance between outputs; 0.22 in DCGAN on photographs, and growing; 0.00 to 0.14
VANISHED = 0.01  # the generator's gradient; 0.5; 0.004
NOTHING = 1e-8  # of a gradient's size itself: Adam's and RMSprop's epsilon, below which steps shrink; 1e-3; 1e-10
SATISFIED = 0.01  # a critic's gradient while it tells all apart; 0.05 in the relativistic game; 0.005
SETTLED = 1.1  # times as varied or lively within three looks; 1.2 where a critic that has won still teaches
STILL = 0.4  # levels of 255 in 50 steps that outputs move; 2.8; 0.3
BLIND = 0.6  # share of real scores above fake ones, where 0.5 is chance; 0.8
SWING = 0.5  # of the distance between two pictures: a change of the outputs' mean colour that counts as a swing
RETURNS = 2  # turning points between swings in 10 looks; 1; 2 to 3, but 0 where outputs jump and stay as bright

# Where one thing explains another, it alone is told.
EXPLAINED_BY = {
    "saturated_output": ("constant_output",),
    "outputs_alike": ("constant_output",),
    "standing_still": ("constant_output", "saturated_output", "gradient_vanished", "critic_saturated"),
    "critic_saturated": ("constant_output",),
}


class Finding(NamedTuple):
    """One thing that is wrong, in plain words with the remedies; `passed` when it was and no longer is."""

    name: str
    message: str
    passed: bool = False


class Health:
    """Follows one training. `translates`: the generator starts from pictures and not from noise. `generators`: the
    players that generate; the other ones are critics.

    `step` takes what every step tells; `look` takes pictures now and then, and says what has begun or passed. A sign
    has to last three looks before it is told, and is told once until it has gone and come again.
    """

    def __init__(self, *, translates: bool, generators: Sequence[str] = ("generator",)) -> None:
        self.translates = translates
        self.generators = tuple(generators)
        self.open: list[str] = []
        self._streaks: dict[str, int] = {}  # looks in a row: that a sign is there, or gone while the finding is open
        self._looks: list[Numbers] = []
        self._levels: list[list[float]] = []  # the outputs' mean colours at these looks
        self._leads: dict[str, list[float]] = {}
        self._gradients: dict[str, list[float]] = {}
        self._first: dict[str, float] = {}
        self._heard: dict[str, int] = {}  # the last step in which a player was heard of
        self._last = 0  # the step of the last look
        self._before: Small | None = None  # and its outputs

    @property
    def numbers(self) -> Numbers:
        """Those of the last look, for the log."""
        return self._looks[-1] if self._looks else {}

    # -- what comes in ---------------------------------------------------------------------------------------------

    def step(self, step: int, *, leads: Mapping[str, float], gradients: Mapping[str, float]) -> None:
        """After a step: by player, each critic's share of real scores above fake ones and the root mean square of each
        gradient, of those that were measured.
        """
        self._heard |= dict.fromkeys([*leads, *gradients], step)
        for name, lead in leads.items():
            self._leads[name] = [*self._leads.get(name, []), lead][-LEADS:]
        for name, size in gradients.items():
            if not math.isfinite(size):  # a loss scale that overflowed says nothing
                continue
            self._gradients[name] = [*self._gradients.get(name, []), size][-GRADIENTS:]
            if step <= EARLY or name not in self._first:
                self._first[name] = max(size, self._first.get(name, 0.0))

    def look(
        self, step: int, outputs: Sequence[Picture], real: Sequence[Picture], *, rate_factor: float = 1.0
    ) -> list[Finding]:
        """Judge the outputs for inputs that stay the same and differ, beside real pictures; uint8 (H, W, C).

        `rate_factor` is how much of the learning rate the schedule has left. Gives what has begun or passed.
        """
        small = thumbnails(outputs, real)
        same = self._before is not None and self._before.shape == small.shape
        numbers = compared(outputs, real, before=self._before if same else None)
        if "moved" in numbers:
            numbers["moved"] *= 50 / max(step - self._last, 1)  # as if there were 50 steps between two looks
        self._before, self._last = small, step
        self._levels = [*self._levels, small.mean((0, 1, 2)).tolist()][-LOOKS:]
        self._looks = [*self._looks, numbers | self._played() | {"rate_factor": rate_factor}][-LOOKS:]
        return self._told(self._signs() if step > GRACE else set())

    def _played(self) -> Numbers:
        """The numbers that no picture tells: leads, and gradients in those of the beginning."""
        self._forget()
        numbers = {f"told_apart_{name}": statistics.fmean(leads) for name, leads in self._leads.items()}
        for name, sizes in self._gradients.items():
            numbers[f"gradient_{name}"] = statistics.median(sizes) / max(self._first[name], NOTHING)
        return numbers

    def _forget(self) -> None:
        """Leave out players that had no turn for long: some methods train one after the other."""
        for name in [name for name, step in self._heard.items() if self._last - step > AWAY]:
            for numbers in (self._leads, self._gradients, self._heard):
                numbers.pop(name, None)

    def _told(self, signs: set[str]) -> list[Finding]:
        """What has lasted long enough to be told."""
        told = []
        for name in REMEDIES:
            there, known = name in signs, name in self.open
            self._streaks[name] = self._streaks.get(name, 0) + 1 if there != known else 0
            explained = not known and any(other in signs for other in EXPLAINED_BY.get(name, ()))
            if self._streaks[name] >= LASTING and not explained:
                self._streaks[name] = 0
                self.open = [other for other in self.open if other != name] if known else [*self.open, name]
                told.append(Finding(name, self._message(name, passed=known), passed=known))
        return told

    def _message(self, name: str, *, passed: bool) -> str:
        chosen = remedy(name, translates=self.translates)
        return f"it has passed: {chosen.what}" if passed else f"{chosen.what}: {chosen.advice()}"

    # -- signs -----------------------------------------------------------------------------------------------------

    def _signs(self) -> set[str]:
        """What looks wrong at this look alone."""
        now, won = self.numbers, any(lead >= 0.9 for lead in self._lead().values())
        signs = {
            "constant_output": now.get("contrast", 1) < CONSTANT and not self._grows("contrast"),
            "saturated_output": now.get("middle", 1) < SATURATED and not self._grows("middle"),
            "outputs_alike": now.get("diversity", 1) < ALIKE and not self._grows("diversity"),
            "gradient_vanished": self._vanished(won),
            "critic_saturated": self._settled()
            and any(lead >= 0.99 and now.get(f"gradient_{name}", 1) < SATISFIED for name, lead in self._lead().items()),
            "critic_blind": self._blind(),
            # The schedule may mean the generator to come to rest, and a critic that sees no difference lets it.
            "standing_still": now.get("moved", math.inf) < STILL and now["rate_factor"] >= 0.5 and won,
            "oscillation": self._oscillates(),
        }
        return {name for name, there in signs.items() if there}

    def _lead(self) -> dict[str, float]:
        return {name: statistics.fmean(leads) for name, leads in self._leads.items()}

    def _grows(self, name: str) -> bool:
        """Whether a number is on its way up: what is slow is not what is broken."""
        values = [look[name] for look in self._looks[-3:] if name in look]
        return len(values) == 3 and values[0] < values[1] < values[2] and values[2] > 1.3 * values[0]

    def _settled(self) -> bool:
        """Whether the outputs as a whole stay as varied and as lively as they are: some learn from a critic that has
        won.
        """
        looks = self._looks[-3:]
        for name in ("diversity", "contrast"):
            values = [look[name] for look in looks if name in look]
            if len(values) == 3 and max(values) > SETTLED * min(values):
                return False
        return True

    def _vanished(self, won: bool) -> bool:
        """Nothing reaches the generator, or next to nothing while the critic has won: equilibrium is calm, too."""
        for name in self.generators:
            sizes = self._gradients.get(name)
            if sizes and (statistics.median(sizes) < NOTHING or (won and self.numbers[f"gradient_{name}"] < VANISHED)):
                return True
        return False

    def _blind(self) -> bool:
        """No critic sees a difference that anyone would see."""
        now, leads = self.numbers, list(self._lead().values())
        plain = (
            now.get("diversity", 1) < 0.3
            or not 0.5 < now.get("contrast", 1) < 2
            or abs(now["level"] - now["real_level"]) > SWING * now.get("apart", math.inf)
        )
        return bool(leads) and max(leads) <= BLIND and plain

    def _oscillates(self) -> bool:
        """Whether the outputs as a whole swing from one colour or brightness to another and back."""
        apart = self.numbers.get("apart", math.inf)
        return any(returns(list(levels), least=SWING * apart) >= RETURNS for levels in zip(*self._levels, strict=True))

    # -- state -----------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that later findings depend on: tensors and JSON values."""
        before = {} if self._before is None else {"before": torch.from_numpy(self._before)}
        return {"open": self.open, "last": self._last, **before} | {
            name: copy.copy(getattr(self, f"_{name}")) for name in KEPT
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; from an empty one as from the beginning."""
        fresh = Health(translates=self.translates, generators=self.generators)
        for name in KEPT:
            setattr(self, f"_{name}", copy.copy(state.get(name, getattr(fresh, f"_{name}"))))
        self.open, self._last = list(state.get("open", ())), int(state.get("last", 0))
        self._before = np.asarray(state["before"]) if "before" in state else None


KEPT = ("streaks", "looks", "levels", "leads", "gradients", "first", "heard")


def returns(values: Sequence[float], *, least: float) -> int:
    """How often a sequence turns back, by `least` or more each way."""
    extreme, direction, turns = values[0], 0, 0
    for value in values[1:]:
        change = value - extreme
        if direction * change >= 0 and direction:
            extreme = value  # further the same way
        elif abs(change) >= least:
            turns += direction != 0
            direction, extreme = (1 if change > 0 else -1), value
    return turns
