"""What is looked at during training on pairs: a sample grid and the metrics of fixed pictures."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from i2i.evaluation.grids import grid
from i2i.images.card import ImageCard
from i2i.metrics.suite import Suite, default_names
from i2i.weights.session import TorchSession

Picture = NDArray[np.uint8]
Sample = TypeVar("Sample")

# What the health of a training is judged by: few and small enough to cost next to nothing.
EXAMPLES = 4
LARGEST_EXAMPLE = 128


class PairedMonitor:
    """Translates fixed pairs, uint8 (H, W, C), exactly as the shipped model would.

    The first `shown` pairs make the grid (source | output | target); all of them are measured, in the named metrics
    (or the usual ones) and in `best`, by which the model to keep is chosen. The first card is the one looked at.
    Raises `I2IError` (E_RECIPE) for a metric that is unknown or does not fit the pictures.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[Picture, Picture]],
        *,
        cards: Mapping[str, ImageCard],
        metrics: Sequence[str] = (),
        best: str = "",
        shown: int = 6,
        device: torch.device | str = "cpu",
    ) -> None:
        self.pairs = list(pairs)
        self.card = next(iter(cards.values()))
        names = tuple(metrics) or default_names(self.card.target)
        self.metrics = names if not best or best in names else (*names, best)
        Suite(self.metrics, pixels=self.card.target)  # a metric that does not fit is refused now, not at its first use
        self.shown = shown
        self.device = str(device)

    def sample(self, generators: Mapping[str, nn.Module]) -> Picture:
        """The grid of the first pairs, uint8 (H, W, 3)."""
        session = session_of(generators, self.card, device=self.device)
        rows = [[source, session.run(source[None])[0], target] for source, target in self.pairs[: self.shown]]
        return grid(rows, ("source", "output", "target"))

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """The metrics over all the pairs."""
        session = session_of(generators, self.card, device=self.device)
        suite = Suite(self.metrics, pixels=self.card.target)
        for source, target in self.pairs:
            suite.update(torch.from_numpy(session.run(source[None])), torch.tensor(target[None]))
        return suite.compute()

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """A few outputs for different sources, and their targets; of large pictures the middle."""
        chosen = evenly(self.pairs, EXAMPLES)
        if self.card.sizing.rule == "pad":
            chosen = [(_middle(source), _middle(target)) for source, target in chosen]
        session = session_of(generators, self.card, device=self.device)
        return [session.run(source[None])[0] for source, _ in chosen], [target for _, target in chosen]


def _middle(picture: Picture) -> Picture:
    top, left = (max(0, (side - LARGEST_EXAMPLE) // 2) for side in picture.shape[:2])
    return picture[top : top + LARGEST_EXAMPLE, left : left + LARGEST_EXAMPLE]


def evenly(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most `count` of the samples, evenly spread: those of a folder lie in the order of their names."""
    rows = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
    return [samples[row] for row in rows]


def session_of(generators: Mapping[str, nn.Module], card: ImageCard, *, device: str) -> TorchSession:
    """The first of the generators as the model that would be shipped; it stays what it is."""
    generator = next(iter(generators.values()))
    if any(parameter.dtype == torch.float64 for parameter in generator.parameters()):
        generator = copy.deepcopy(generator).float()  # trained in fp64: looked at as it would be shipped
    return TorchSession(generator, card, device=device)
