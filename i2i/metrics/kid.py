"""Kernel distance between the outputs and the truths as two sets (Binkowski, Sutherland, Arbel, Gretton 2018)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from i2i.errors import missing_package
from i2i.metrics.metric import check, named

Features = Callable[[Tensor], Tensor]  # uint8 N,H,W,C -> float N,D


class Kid:
    """The unbiased estimate of the squared maximum mean discrepancy between the features of both sets.

    The kernel is (x.y / D + 1)^3 as in the paper. Deviations: one estimate over the whole set in place of the mean
    over random subsets, so the value is exact and repeatable, and the network that makes the features is injected.
    Across the sets every output meets every truth, its own included, so outputs equal to their truths score a little
    below 0. By default the network is EfficientNet-Lite0 (see `i2i.metrics.features`), so values compare only with
    values of this tool, never with published ones made with Inception. Near 0 (it may be slightly negative) for two
    samples of one distribution; undefined for fewer than two pictures. Raises `I2IError` (E_MISSING_PACKAGE) without
    the extra `metrics`.
    """

    name: ClassVar[str] = "kid"
    higher_is_better: ClassVar[bool | None] = False
    for_labels: ClassVar[bool] = False

    def __init__(self, *, features: Features | None = None) -> None:
        self._features = features
        self._output: list[Tensor] = []
        self._target: list[Tensor] = []

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,C."""
        check(output, target)
        if self._features is None:
            from i2i.metrics.features import EfficientNetLite0

            self._features = EfficientNetLite0()
        self._output.append(self._features(output))
        self._target.append(self._features(target))

    def compute(self) -> dict[str, float]:
        """`{"kid": value}`; empty for fewer than two pictures."""
        if sum(map(len, self._output)) < 2:
            return {}
        return named(self.name, kernel_distance(torch.cat(self._output), torch.cat(self._target)))

    def per_image(self) -> None:
        """Only a set has a distance."""


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """The distance between two N,D sets of features of one size, at least two each."""
    try:
        from torchmetrics.image.kid import poly_mmd
    except ImportError:
        raise missing_package("torchmetrics", "metrics") from None
    return float(poly_mmd(a.double(), b.double(), degree=3, gamma=None, coef=1.0))
