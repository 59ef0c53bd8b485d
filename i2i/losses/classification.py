"""How far logits are from labels, where there are labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from i2i.networks.layers.label_sets import LabelSet, columns

UNKNOWN = -1


def known_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy in nats of logits (N, K) and labels int64 (N,) over those that are known: not -1.

    0, and no gradient, where none is.
    """
    total = cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum")
    return total / (labels != UNKNOWN).sum().clamp(min=1)


def labels_cross_entropy(logits: Tensor, labels: Tensor, sets: Sequence[LabelSet]) -> Tensor:
    """Cross entropy in nats of logits (N, K) and labels (N, K) of several sets, the mean over the pictures.

    Labels of an exclusive set are one class of a softmax, those of another are a yes or no each (0..1), summed over the
    labels. NaN is unknown, in an exclusive set for all labels together, and adds nothing.
    """
    total = logits.new_zeros(())
    for kind, place in columns(sets):
        given, own = labels[:, place], logits[:, place]
        known = ~given.isnan()
        if kind.exclusive:
            classes = torch.where(known.all(1), given.nan_to_num().argmax(1), UNKNOWN)
            total = total + cross_entropy(own, classes, ignore_index=UNKNOWN, reduction="sum")
        else:
            # The unknown are exchanged, not multiplied away: NaN times 0 is NaN.
            values, weights = torch.where(known, given, torch.zeros_like(given)), known.to(own.dtype)
            total = total + binary_cross_entropy_with_logits(own, values, weight=weights, reduction="sum")
    return total / len(logits)
