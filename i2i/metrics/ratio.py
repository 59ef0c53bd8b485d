"""What the metrics have in common that compare an amount (sharpness, power) in the outputs with that in the truths."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from i2i.metrics.metric import Metric, check, luminance, named

# The variance that rounding to whole levels adds to a picture.
ROUNDING = 1 / 12


class AmountRatio:
    """The amount summed over all outputs divided by the amount summed over all truths; 1 is best.

    A subclass says what the amount of a picture is. Both sums count at least the `floor` that it states for a picture
    with nothing in it, so that two flat sets score 1 and no ratio is infinite. A picture under `smallest` pixels in
    width or height has no amount: its value is None and it is left out.
    """

    name: ClassVar[str]
    higher_is_better: ClassVar[bool | None] = None
    for_labels: ClassVar[bool] = False
    smallest: ClassVar[int]

    def __init__(self) -> None:
        self._amounts: list[tuple[float, float, float] | None] = []

    def amount(self, grey: Tensor) -> Tensor:
        """The amount of each picture of a float64 N,H,W batch of luminance, [N]."""
        raise NotImplementedError

    def floor(self, height: int, width: int) -> float:
        """The least amount that counts for a picture of this size."""
        raise NotImplementedError

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,C."""
        check(output, target)
        height, width = output.shape[1:3]
        if min(height, width) < self.smallest:
            self._amounts += [None] * len(output)
            return
        amounts = torch.stack([self.amount(luminance(output)), self.amount(luminance(target))], 1)
        self._amounts += [(got, truth, self.floor(height, width)) for got, truth in amounts.tolist()]

    def compute(self) -> dict[str, float]:
        """`{name: ratio}`; empty when every picture is too small."""
        defined = [amounts for amounts in self._amounts if amounts is not None]
        if not defined:
            return {}
        got, truth, floor = (math.fsum(column) for column in zip(*defined, strict=True))
        return named(self.name, max(got, floor) / max(truth, floor))

    def per_image(self) -> list[float | None]:
        """The ratio of each picture."""
        return [None if a is None else max(a[0], a[2]) / max(a[1], a[2]) for a in self._amounts]


def of_sets(metric: Metric) -> bool:
    """Whether a metric compares two sets as they are, so that no output needs an answer of its own."""
    return metric.per_image() is None or isinstance(metric, AmountRatio)
