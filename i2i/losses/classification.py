"""How far logits are from labels, where there are labels."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

UNKNOWN = -1


def known_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy in nats of logits (N, K) and labels int64 (N,) over those that are known: not -1.

    0, and no gradient, where none is.
    """
    total = cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum")
    return total / (labels != UNKNOWN).sum().clamp(min=1)
