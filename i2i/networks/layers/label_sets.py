"""Labels of one or several sets of data as one vector: what a network that learns from all of them is told.

Choi et al. 2018, "StarGAN", arXiv 1711.09020, section 3.2, equation 7: the labels of every set behind each other, those
of a set that says nothing of a picture zero, and behind them the mask vector, a number for each set, 1 for the one
whose labels are meant. One set needs no mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class LabelSet(NamedTuple):
    """`size` labels; of an `exclusive` set exactly one is 1 in every picture."""

    size: int
    exclusive: bool = False


def width(sets: Sequence[LabelSet]) -> int:
    """How many numbers `vector` gives for a picture."""
    return sum(labels.size for labels in sets) + (len(sets) if len(sets) > 1 else 0)


def columns(sets: Sequence[LabelSet]) -> Iterator[tuple[LabelSet, slice]]:
    """The sets, with their places among all the labels."""
    start = 0
    for labels in sets:
        yield labels, slice(start, start + labels.size)
        start += labels.size


def mask(labels: Tensor, sets: Sequence[LabelSet]) -> Tensor:
    """Bool (N, sets): which sets say something of each picture, given labels (N, K) that are NaN where unknown."""
    return torch.stack([~labels[:, place].isnan().all(1) for _, place in columns(sets)], 1)


def vector(labels: Tensor, sets: Sequence[LabelSet]) -> Tensor:
    """Labels (N, K), NaN where unknown, as the (N, `width`) numbers that a network is told."""
    known = torch.where(labels.isnan(), torch.zeros_like(labels), labels)
    return known if len(sets) == 1 else torch.cat((known, mask(labels, sets).to(labels.dtype)), 1)
