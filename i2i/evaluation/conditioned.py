"""What is looked at while one generator learns to translate between domains, or to change attributes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from i2i.errors import I2IError
from i2i.evaluation.grids import grid
from i2i.evaluation.monitor import EXAMPLES, evenly, session_of
from i2i.evaluation.targets import (
    Picture,
    Runs,
    Step,
    Told,
    back,
    condition_of,
    missing,
    present,
    steps,
    towards,
    translated,
)
from i2i.evaluation.unpaired import compares_sets, has_mean
from i2i.images.card import ImageCard
from i2i.metrics.features import Features, installed
from i2i.metrics.suite import Suite

MOST_PIXELS = 1024  # the width of the grid, before domains or attributes are left out of it


class ConditionedMonitor:
    """Translates fixed pictures, uint8 (H, W, C) of one size, exactly as the shipped model would: to every domain, or
    with every attribute switched, on where it was off and off where it was on (of an exclusive group: on).

    The grid has a row for each of `shown` pictures: the picture, then what it becomes under each name. Translations
    have no answers to be measured by. Metrics of single pictures compare a picture with its way there and back
    (`cycle_psnr`; each picture goes to one domain, in turn); those of sets compare, for each name, the translations of
    pictures that do not have it with as many pictures that do (`kid_smile`, and `kid`, their mean). Without names: psnr
    (accuracy for label maps), and kid where its feature network is installed. `features` is that network. `best`, by
    which the model to keep is chosen, is kid: ways there and back are best where nothing is translated.

    The first card is the one looked at. Raises `I2IError` (E_RECIPE) for a metric that does not fit.
    """

    def __init__(
        self,
        pictures: Sequence[Told],
        *,
        cards: Mapping[str, ImageCard],
        metrics: Sequence[str] = (),
        best: str = "",
        shown: int = 8,
        device: torch.device | str = "cpu",
        features: Features | None = None,
    ) -> None:
        self.pictures = list(pictures)
        self.card = next(iter(cards.values()))
        self.features = features
        names = tuple(metrics) or self._usual()
        self.metrics = names if not best or best in names else (*names, best)
        if best and not has_mean(best):
            message = f"training.keep_best: {best} does not say how well domains without pairs are translated; use kid"
            raise I2IError("E_RECIPE", message)
        self._suite(self.metrics)  # what does not fit is refused now, not at its first use
        self.shown = shown
        self.device = str(device)

    def sample(self, generators: Mapping[str, nn.Module]) -> Picture:
        """The grid, uint8 (H, W, 3)."""
        return targets_grid(self._session(generators), self.card, evenly(self.pictures, self.shown))

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """The metrics of all the pictures."""
        found = self._round_trips(generators) | self._sets(generators)
        for name in filter(has_mean, self.metrics):
            each = [value for key, value in found.items() if key.startswith(f"{name}_")]
            found |= {name: statistics.fmean(each)} if each else {}
        return found

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """A few translations, each to another domain or attribute in turn, and real pictures."""
        chosen = evenly(self.pictures, EXAMPLES)
        return self._made(generators, chosen, self._in_turn(chosen)), [told.picture for told in chosen]

    def _round_trips(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        names = [name for name in self.metrics if not compares_sets(name)]
        chosen = self._in_turn(self.pictures) if names else []
        if not chosen:
            return {}
        origins = [self.pictures[step.picture] for step in chosen]
        made = self._made(generators, self.pictures, chosen)
        again = translated(self._session(generators), made, back(self.card, origins))
        values = self._compared(names, again, [told.picture for told in origins])
        return {f"cycle_{name}": value for name, value in values.items()}

    def _sets(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        names = [name for name in self.metrics if compares_sets(name)]
        has, lacks = present(self.card, self.pictures), missing(self.card, self.pictures)
        found = dict[str, float]()
        for target, name in enumerate(condition_of(self.card).names) if names else ():
            having, others = np.flatnonzero(has[:, target]), np.flatnonzero(lacks[:, target])
            count = min(len(having), len(others))
            if count < 2:
                continue  # a set of one has no distribution
            chosen = [Step(picture, target) for picture in evenly(others.tolist(), count)]
            real = [self.pictures[picture].picture for picture in evenly(having.tolist(), count)]
            values = self._compared(names, self._made(generators, self.pictures, chosen), real)
            found |= {f"{metric}_{name}": value for metric, value in values.items()}
        return found

    def _in_turn(self, pictures: Sequence[Told]) -> list[Step]:
        """One of the changes that are possible of each picture; the first of them for the first picture, and so on."""
        every = steps(self.card, pictures)
        possible = [[step for step in every if step.picture == number] for number in range(len(pictures))]
        return [each[number % len(each)] for number, each in enumerate(possible) if each]

    def _made(self, generators: Mapping[str, nn.Module], told: Sequence[Told], chosen: Sequence[Step]) -> list[Picture]:
        wanted = towards(self.card, present(self.card, told), chosen)
        return translated(self._session(generators), [told[step.picture].picture for step in chosen], wanted)

    def _session(self, generators: Mapping[str, nn.Module]) -> Runs:
        return session_of(generators, self.card, device=self.device)

    def _compared(self, names: Sequence[str], made: Sequence[Picture], real: Sequence[Picture]) -> dict[str, float]:
        suite = self._suite(names)
        suite.update(torch.from_numpy(np.stack(made)), torch.from_numpy(np.stack(real)))
        return suite.compute()

    def _usual(self) -> tuple[str, ...]:
        if self.card.target.colour == "labels":
            return ("accuracy",)
        return ("psnr", "kid") if self.features is not None or installed() else ("psnr",)

    def _suite(self, names: Sequence[str]) -> Suite:
        return Suite(names, pixels=self.card.target, features=self.features)


def targets_grid(session: Runs, card: ImageCard, told: Sequence[Told]) -> Picture:
    """A row for each picture: itself, then what it becomes under each name, uint8 (H, W, 3)."""
    width = told[0].picture.shape[1]
    names = condition_of(card).names[: max(MOST_PIXELS // width - 1, 1)]
    every = [Step(picture, target) for picture in range(len(told)) for target in range(len(names))]
    wanted = towards(card, present(card, told), every)
    made = translated(session, [told[step.picture].picture for step in every], wanted)
    rows = [[one.picture, *made[number * len(names) : (number + 1) * len(names)]] for number, one in enumerate(told)]
    return grid(rows, ("picture", *names))
