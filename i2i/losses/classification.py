"""How far logits are from labels, where there are labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

UNKNOWN = -1


def known_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy in nats of logits (N, K) and labels int64 (N,) over those that are known: not -1.

    0, and no gradient, where none is.
    """
    total = cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum")
    return total / (labels != UNKNOWN).sum().clamp(min=1)


def known_binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy in nats of logits (N, K), each a yes or no, and labels (N, K) of 0..1, NaN where unknown: summed
    over the labels, the mean over the pictures of which any is known; 0 where none is.
    """
    known = ~labels.isnan()
    # Not a product with `known`: NaN times 0 is NaN.
    total = binary_cross_entropy_with_logits(logits, torch.where(known, labels, 0.0), weight=known.to(logits.dtype))
    return total * labels.numel() / known.any(1).sum().clamp(min=1)
