"""Kernel distance between the outputs and the truths as two sets (Binkowski, Sutherland, Arbel, Gretton 2018)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.errors import missing_package
from i2i.metrics.metric import named
from i2i.metrics.of_features import OfFeatures


class Kid(OfFeatures):
    """The unbiased estimate of the squared maximum mean discrepancy between the features of both sets.

    The kernel is (x.y / D + 1)^3 as in the paper. Deviations: one estimate over the whole set in place of the mean
    over random subsets, so the value is exact and repeatable, and the network that makes the features is injected.
    Across the sets every output meets every truth, its own included, so outputs equal to their truths score a little
    below 0. Never to be compared with published values, which are made with Inception. Near 0 (it may be slightly
    negative) for two samples of one distribution; undefined for fewer than two pictures.
    """

    name = "kid"
    higher_is_better: ClassVar[bool | None] = False

    def compute(self) -> dict[str, float]:
        """`{"kid": value}`; empty for fewer than two pictures."""
        return named(self.name, kernel_distance(*self.gathered()) if len(self) > 1 else None)

    def per_image(self) -> None:
        """Only a set has a distance."""


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """The distance between two N,D sets of features of one size, at least two each."""
    try:
        from torchmetrics.image.kid import poly_mmd
    except ImportError:
        raise missing_package("torchmetrics", "metrics") from None
    return float(poly_mmd(a.double(), b.double(), degree=3, gamma=None, coef=1.0))
