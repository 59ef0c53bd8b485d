"""What is looked at while a translator of fonts learns: glyphs of every font beside what is made for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from i2i.evaluation.grids import grid
from i2i.evaluation.monitor import EXAMPLES, evenly, session_of
from i2i.images.card import ImageCard
from i2i.metrics.suite import Suite, default_names
from i2i.runtime.conditions import of_numbers

Picture = NDArray[np.uint8]
Styled = tuple[Picture, Picture, int]

_BATCH = 16


class StyledMonitor:
    """Translates fixed glyphs (source, target, number of the font), exactly as the shipped model would.

    The first `shown` make the grid (source | output | target), all are measured in the named metrics (or the usual
    ones) and in `best`, by which the model to keep is chosen. The first card is the one looked at. Raises `I2IError`
    (E_RECIPE) for a metric that is unknown or does not fit.
    """

    def __init__(
        self,
        glyphs: Sequence[Styled],
        *,
        cards: Mapping[str, ImageCard],
        metrics: Sequence[str] = (),
        best: str = "",
        shown: int = 12,
        device: torch.device | str = "cpu",
    ) -> None:
        self.glyphs = list(glyphs)
        self.card = next(iter(cards.values()))
        names = tuple(metrics) or default_names(self.card.target)
        self.metrics = names if not best or best in names else (*names, best)
        Suite(self.metrics, pixels=self.card.target)  # a metric that does not fit is refused now, not at its first use
        self.shown = shown
        self.device = str(device)

    def sample(self, generators: Mapping[str, nn.Module]) -> Picture:
        """The grid of the first glyphs, uint8 (H, W, 3)."""
        shown = self.glyphs[: self.shown]
        made = self._made(generators, shown)
        rows = [[source, output, target] for (source, target, _), output in zip(shown, made, strict=True)]
        return grid(rows, ("source", "output", "target"))

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """The metrics over all the glyphs."""
        suite = Suite(self.metrics, pixels=self.card.target)
        for output, (_, target, _) in zip(self._made(generators, self.glyphs), self.glyphs, strict=True):
            suite.update(torch.from_numpy(output[None].copy()), torch.from_numpy(target[None].copy()))
        return suite.compute()

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """A few outputs for different sources and fonts, and their targets."""
        chosen = evenly(self.glyphs, EXAMPLES)
        return self._made(generators, chosen), [target for _, target, _ in chosen]

    def _made(self, generators: Mapping[str, nn.Module], glyphs: Sequence[Styled]) -> list[Picture]:
        session = session_of(generators, self.card, device=self.device)
        made: list[Picture] = []
        for start in range(0, len(glyphs), _BATCH):
            part = glyphs[start : start + _BATCH]
            wanted = of_numbers(self.card, np.array([number for *_, number in part], np.int64))
            made += list(session.run(np.stack([source for source, *_ in part]), **wanted._asdict()))
        return made
