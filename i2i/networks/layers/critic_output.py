"""What every discriminator returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class CriticOutput(NamedTuple):
    """`score`: any shape with the batch first, real scores high, before any sigmoid. `features`: inner activations,
    first layer first (feature matching). `classes`: class logits (N, K) of an auxiliary head, or None.
    """

    score: Tensor
    features: tuple[Tensor, ...] = ()
    classes: Tensor | None = None
