"""What is looked at while one generator learns to translate between domains, or to change attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from i2i.errors import I2IError
from i2i.evaluation.grids import grid
from i2i.evaluation.monitor import EXAMPLES, Picture, evenly, session_of
from i2i.images.card import Condition, ImageCard
from i2i.runtime.conditions import Asked


class ConditionedMonitor:
    """Translates fixed pictures, uint8 (H, W, C), to every domain, or switches on every attribute, exactly as the
    shipped model would.

    The grid has a row for each of `shown` of them: the picture, then what it becomes under the name of each domain or
    attribute. Raises `I2IError` (E_RECIPE) for metrics: such translations have no answers to be measured by.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        *,
        cards: Mapping[str, ImageCard],
        metrics: Sequence[str] = (),
        best: str = "",
        shown: int = 8,
        device: torch.device | str = "cpu",
    ) -> None:
        if metrics or best:
            message = f"training.metrics: {', '.join(metrics) or best} compares pictures with answers"
            raise I2IError("E_RECIPE", f"{message}, and translations to a domain have none; leave it out")
        self.pictures = list(pictures)
        self.card = next(iter(cards.values()))
        self.shown = shown
        self.device = str(device)

    def sample(self, generators: Mapping[str, nn.Module]) -> Picture:
        """The grid, uint8 (H, W, 3)."""
        condition = self._condition()
        count = len(condition.names)
        session = session_of(generators, self.card, device=self.device)
        rows = []
        for picture in evenly(self.pictures, self.shown):
            repeated = np.repeat(picture[None], count, axis=0)
            rows.append([picture, *session.run(repeated, **each(condition, range(count))._asdict())])
        return grid(rows, ("picture", *condition.names))

    def measure(self, generators: Mapping[str, nn.Module]) -> dict[str, float]:
        """Nothing, yet."""
        return {}

    def examples(self, generators: Mapping[str, nn.Module]) -> tuple[list[Picture], list[Picture]]:
        """A few translations, each to another domain or attribute in turn, and real pictures."""
        chosen = evenly(self.pictures, EXAMPLES)
        condition = self._condition()
        session = session_of(generators, self.card, device=self.device)
        wanted = [number % len(condition.names) for number in range(len(chosen))]
        made = [
            session.run(picture[None], **each(condition, [number])._asdict())[0]
            for picture, number in zip(chosen, wanted, strict=True)
        ]
        return made, chosen

    def _condition(self) -> Condition:
        assert self.card.condition is not None  # or another monitor would look
        return self.card.condition


def each(condition: Condition, numbers: Sequence[int]) -> Asked:
    """What the graph is told for each of the names with these numbers: the domain, or that attribute and no other."""
    if condition.kind == "domains":
        return Asked(domain=np.asarray(numbers, dtype=np.int64))
    rows = np.full((len(numbers), len(condition.names)), np.nan, dtype=np.float32)
    rows[np.arange(len(numbers)), list(numbers)] = 1.0
    return Asked(condition=rows)
