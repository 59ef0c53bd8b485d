"""What the metrics have in common that compare features of outputs and truths in place of pixels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.metrics.features import Features, default_features
from i2i.metrics.metric import check


class OfFeatures:
    """Collects the features of all that is added; a subclass says what to compute of them.

    By default the network is EfficientNet-Lite0 (see `i2i.metrics.features`), so values compare only with values of
    this tool. Raises `I2IError` (E_MISSING_PACKAGE) without the extra `metrics`.
    """

    name: ClassVar[str]
    for_labels: ClassVar[bool] = False

    def __init__(self, *, features: Features | None = None) -> None:
        self._features = features or default_features
        self._output: list[Tensor] = []
        self._target: list[Tensor] = []

    def __len__(self) -> int:
        return sum(map(len, self._output))

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,C."""
        check(output, target)
        self._output.append(self._features(output))
        self._target.append(self._features(target))

    def gathered(self) -> tuple[Tensor, Tensor]:
        """The features of all outputs and of all truths, N,D each."""
        return torch.cat(self._output), torch.cat(self._target)
