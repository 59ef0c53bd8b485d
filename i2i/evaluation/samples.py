"""What is looked at while a generator from noise learns: pictures of fixed noise, and their distance to real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from i2i.errors import I2IError
from i2i.evaluation.grids import sheet
from i2i.evaluation.monitor import evenly, session_of
from i2i.evaluation.sheets import by_domain
from i2i.images.card import ImageCard
from i2i.metrics.features import Features, installed
from i2i.metrics.ratio import of_sets
from i2i.metrics.suite import Suite
from i2i.runtime.conditions import drawn
from i2i.runtime.sampler import Sampler

Picture = NDArray[np.uint8]

MOST_PIXELS = 1024  # a side of the sheet, before rows and columns are left out
SEED = 0
EXAMPLES = 16  # what the health of a training is judged by


class SampleMonitor:
    """Makes pictures of noise that stays the same, exactly as the shipped model would.

    A generator that is told what to make is told the same every time: the sheet has a column for each domain and the
    same noise along a row; attributes, and what is measured, are as `i2i.runtime.conditions.drawn` has them.

    A sheet of up to `shown` of them, and the metrics of as many as there are `pictures` (real ones, uint8 (H, W, C) of
    the training size) against those: metrics of sets alone, since noise has no known answer. Without names: KID where
    its feature network is installed and the pictures are no label maps, else none. `features` is that network. The
    first card is the one looked at. Raises `I2IError` (E_RECIPE) for a metric that does not fit.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        *,
        cards: Mapping[str, ImageCard],
        metrics: Sequence[str] = (),
        best: str = "",
        shown: int = 64,
        device: torch.device | str = "cpu",
        features: Features | None = None,
    ) -> None:
        self.pictures = list(pictures)
        self.card = next(iter(cards.values()))
        self.features = features
        usual = ("kid",) if installed() and self.card.target.colour != "labels" else ()
        names = tuple(metrics) or usual
        self.metrics = names if not best or best in names else (*names, best)
        if self.metrics:
            self._suite()  # a metric that does not fit is refused now, not at its first use
        self.shown = shown
        self.device = str(device)

    def sample(self, generators: Mapping[str, nn.Module]) -> Picture:
        """The sheet, uint8 (H, W, 3)."""
        side = max(MOST_PIXELS // max(self.pictures[0].shape[:2]), 1)
        condition = self.card.condition
        if condition is not None and condition.kind == "domains":
            names = condition.names[: min(side, self.shown)]
            sampler = self._sampler(generators)
            return by_domain(sampler, sampler.latents(min(side, self.shown // len(names)), seed=SEED), names)
        return sheet(list(self._made(generators, min(self.shown, side * side))))

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """The metrics of as many generated pictures as there are real ones."""
        if not self.metrics:
            return {}
        suite = self._suite()
        suite.update(
            torch.from_numpy(self._made(generators, len(self.pictures))), torch.from_numpy(np.stack(self.pictures))
        )
        return suite.compute()

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """A few pictures of different noise, and as many real ones or fewer."""
        return list(self._made(generators, EXAMPLES)), evenly(self.pictures, EXAMPLES)

    def _suite(self) -> Suite:
        suite = Suite(self.metrics, pixels=self.card.target, features=self.features)
        single = [name for name, metric in suite.metrics.items() if not of_sets(metric)]
        if single:
            message = f"{', '.join(single)} compares a picture with its answer, and noise has none; use kid"
            raise I2IError("E_RECIPE", f"training.metrics: {message}")
        return suite

    def _made(self, generators: Mapping[str, nn.Module], count: int) -> Picture:
        wanted = drawn(self.card, count, seed=SEED)
        sampler = self._sampler(generators)
        return sampler.apply(sampler.latents(count, seed=SEED), **wanted._asdict())

    def _sampler(self, generators: Mapping[str, nn.Module]) -> Sampler:
        return Sampler(session_of(generators, self.card, device=self.device))
