"""What is looked at while two sets of pictures without pairs are translated into each other."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from i2i.errors import I2IError
from i2i.evaluation.grids import grid
from i2i.evaluation.monitor import EXAMPLES, evenly, session_of
from i2i.images.card import ImageCard, Pixels
from i2i.metrics import METRICS
from i2i.metrics.features import Features, installed
from i2i.metrics.ratio import of_sets
from i2i.metrics.suite import Suite
from i2i.weights.session import TorchSession

Picture = NDArray[np.uint8]

ROUND_TRIPS = ("psnr", "accuracy")  # of pictures and of label maps


# The columns of the grid: a picture of each side, what became of it, and what became of that.
SHOWN = ("a", "fake_b", "cycle_a", "b", "fake_a", "cycle_b")

# What the metrics compare, by what their values are called: an output and a picture.
SINGLES = {
    "cycle_{}_a": ("cycle_a", "a"),
    "cycle_{}_b": ("cycle_b", "b"),
    "identity_{}_a": ("identity_a", "a"),
    "identity_{}_b": ("identity_b", "b"),
}
KINDS = {"{}_a2b": ("fake_b", "b"), "{}_b2a": ("fake_a", "a")}


class UnpairedMonitor:
    """Translates fixed pictures of both sides, uint8 (H, W, C), there and back, exactly as the shipped models would.

    The first `shown` of them make the grid. Translations have no answers to be measured by. Metrics of single pictures
    compare a picture with its round trip (`cycle_psnr_a`: to b and back) and, where the sides look alike, with what the
    model that makes such pictures makes of it (`identity_psnr_a`: an a given to b to a); those of sets compare all
    translations with all the pictures that they should look like (`kid_a2b`, `kid_b2a`, and `kid`, their mean). Without
    names: psnr (accuracy for label maps), and kid where its feature network is installed. `features` is that network.
    `best`, by which the models to keep are chosen, is kid: round trips are best where nothing is translated.

    The first card is that of a to b, the second the one back. Raises `I2IError` (E_RECIPE) for a metric that does not
    fit.
    """

    def __init__(
        self,
        pictures: Sequence[tuple[Picture, Picture]],
        *,
        cards: Mapping[str, ImageCard],
        metrics: Sequence[str] = (),
        best: str = "",
        shown: int = 6,
        device: torch.device | str = "cpu",
        features: Features | None = None,
    ) -> None:
        self.pictures = list(pictures)
        self.cards = dict(cards)
        self.features = features
        names = tuple(metrics) or (*ROUND_TRIPS, *(("kid",) if features is not None or installed() else ()))
        self.metrics = names if not best or best in names else (*names, best)
        if best and not has_mean(best):
            message = f"training.keep_best: {best} does not say how well sets without pairs are translated; use kid"
            raise I2IError("E_RECIPE", message)
        for name in (*metrics, *([best] if best else [])):  # what does not fit is refused now, not at its first use
            if not self._fitting([name], "a"):
                Suite([name], pixels=self._pixels("b"), features=features)
        self.shown = shown
        self.device = str(device)

    def sample(self, generators: Mapping[str, nn.Module]) -> Picture:
        """The grid: a picture of each side, its translation and its round trip in a row; uint8 (H, W, 3)."""
        rows = self._translated(generators, self.pictures[: self.shown])
        return grid([[row[name] for name in SHOWN] for row in rows], [name.replace("_", " ") for name in SHOWN])

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """The metrics of all the pictures."""
        suites = self._suites()
        for row in self._translated(generators, self.pictures):
            for form, suite in suites.items():
                output, picture = (row[name] for name in (SINGLES | KINDS)[form])
                suite.update(torch.tensor(output[None]), torch.tensor(picture[None]))
        found = {form.format(name): value for form, suite in suites.items() for name, value in suite.compute().items()}
        for name in filter(has_mean, self.metrics):
            both = [found[form.format(name)] for form in KINDS if form.format(name) in found]
            found |= {name: statistics.fmean(both)} if both else {}
        return found

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """A few translations of a, and pictures of b."""
        chosen = evenly(self.pictures, EXAMPLES)
        session, _ = self._sessions(generators)
        return [session.run(a[None])[0] for a, _ in chosen], [b for _, b in chosen]

    def _translated(
        self, generators: Mapping[str, nn.Module], pictures: Sequence[tuple[Picture, Picture]]
    ) -> Iterator[dict[str, Picture]]:
        """What became of each pair of pictures, by name."""
        a2b, b2a = self._sessions(generators)
        for a, b in pictures:
            fake_b, fake_a = a2b.run(a[None])[0], b2a.run(b[None])[0]
            row = {"a": a, "fake_b": fake_b, "cycle_a": b2a.run(fake_b[None])[0]}
            row |= {"b": b, "fake_a": fake_a, "cycle_b": a2b.run(fake_a[None])[0]}
            if self._alike:
                row |= {"identity_a": b2a.run(a[None])[0], "identity_b": a2b.run(b[None])[0]}
            yield row

    def _sessions(self, generators: Mapping[str, nn.Module]) -> list[TorchSession]:
        """What translates there, and back."""
        return [
            session_of({direction: generators[direction]}, card, device=self.device)
            for direction, card in self.cards.items()
        ]

    @property
    def _alike(self) -> bool:
        """Whether each model can be given the pictures that it makes."""
        return self._pixels("a") == self._pixels("b")

    def _suites(self) -> dict[str, Suite]:
        """New metrics by what their values are called; none for which there is no metric that fits."""
        sets = [name for name in self.metrics if compares_sets(name)]
        single = [name for name in self.metrics if name not in sets]
        wanted = {
            form: (single, side)
            for form, (output, side) in SINGLES.items()
            if self._alike or not output.startswith("identity")
        }
        wanted |= {form: (sets, side) for form, (_, side) in KINDS.items()}
        chosen = {form: (self._fitting(names, side), side) for form, (names, side) in wanted.items()}
        return {
            form: Suite(names, pixels=self._pixels(side), features=self.features)
            for form, (names, side) in chosen.items()
            if names
        }

    def _fitting(self, names: Sequence[str], side: str) -> list[str]:
        """The metrics that fit the pictures of a side. Raises `I2IError` (E_RECIPE) for an unknown name."""
        labels = self._pixels(side).colour == "labels"
        return [name for name in names if METRICS[name].for_labels == labels]

    def _pixels(self, side: str) -> Pixels:
        first = next(iter(self.cards.values()))
        return first.source if side == "a" else first.target


def compares_sets(name: str) -> bool:
    """Whether a metric needs no answer to each picture."""
    kind = METRICS[name]
    return not kind.for_labels and of_sets(kind())


def has_mean(name: str) -> bool:
    """Whether the mean of both directions says something: that of two ratios may be 1 where neither is."""
    return compares_sets(name) and METRICS[name].higher_is_better is not None
