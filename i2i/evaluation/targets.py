"""What a picture of which something is known can be translated to: another domain, or an attribute switched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from i2i.images.card import Condition, ImageCard
from i2i.runtime.conditions import Asked, changed, ends, of_numbers

Picture = NDArray[np.uint8]  # H,W,C
Flags = NDArray[np.bool_]

BATCH = 16  # pictures in the network at once


class Told(NamedTuple):
    """A picture, and what is known of it: its domain, int64 (), or its attributes, float32 (K,)."""

    picture: Picture
    known: NDArray[np.generic]


class Step(NamedTuple):
    """One picture to translate, by its number among others, and which of the card's names it is to get or to lose."""

    picture: int
    target: int


class Runs(Protocol):
    """A session of torch or onnxruntime."""

    def run(
        self,
        image: NDArray[np.uint8] | NDArray[np.float32],
        *,
        domain: NDArray[np.int64] | None = None,
        condition: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """Translate a batch."""
        ...


def condition_of(card: ImageCard) -> Condition:
    """What steers the model, which is one that is told something."""
    assert card.condition is not None
    return card.condition


def present(card: ImageCard, told: Sequence[Told]) -> Flags:
    """Which of the card's names each picture has, bool (N, K): its domain, or attributes nearer the high end of their
    range than the low one.
    """
    condition = condition_of(card)
    known = np.stack([one.known for one in told])
    if condition.kind == "domains":
        has: Flags = known[:, None] == np.arange(len(condition.names))
        return has
    low, high = ends(condition)
    above: Flags = known > (low + high) / 2
    return above


def missing(card: ImageCard, told: Sequence[Told]) -> Flags:
    """Which of the card's names each picture is known not to have, bool (N, K); nothing is known of a NaN."""
    unknown = np.isnan(np.stack([one.known for one in told]).astype(np.float64))
    lacking: Flags = ~present(card, told) & ~(unknown if unknown.ndim == 2 else unknown[:, None])
    return lacking


def can_lose(condition: Condition) -> Flags:
    """Which names a picture can lose without getting another for it, bool (K,): attributes outside exclusive groups."""
    bound = {name for group in condition.exclusive_groups for name in group}
    return np.array([condition.kind == "attributes" and name not in bound for name in condition.names])


def steps(card: ImageCard, told: Sequence[Told]) -> list[Step]:
    """Every change of every picture: to each name that it does not have, and from each that it has and can lose."""
    possible = missing(card, told) | (present(card, told) & can_lose(condition_of(card)))
    return [Step(int(picture), int(target)) for picture, target in np.argwhere(possible)]


def towards(card: ImageCard, has: Flags, chosen: Sequence[Step]) -> Asked:
    """What the graph is told for each of the steps; a name that the picture has and cannot lose stays."""
    condition, (low, high) = condition_of(card), ends(condition_of(card))
    if condition.kind == "domains":
        return of_numbers(card, np.array([step.target for step in chosen], np.int64))
    loses = has & can_lose(condition)
    rows = [
        changed(card, 1, attributes={condition.names[target]: (low if loses[picture, target] else high)[target]})
        for picture, target in chosen
    ]
    return Asked(condition=np.concatenate([row.condition for row in rows if row.condition is not None]))


def back(card: ImageCard, told: Sequence[Told]) -> Asked:
    """What the graph is told to bring translations back to what the pictures were."""
    known = np.stack([one.known for one in told])
    if condition_of(card).kind == "domains":
        return of_numbers(card, known.astype(np.int64))
    return Asked(condition=known.astype(np.float32))


def translated(session: Runs, pictures: Sequence[Picture], wanted: Asked) -> list[Picture]:
    """The translations of pictures of one size, some at a time."""
    made: list[Picture] = []
    for start in range(0, len(pictures), BATCH):
        part = slice(start, start + BATCH)
        made += list(session.run(np.stack(pictures[part]), **wanted.rows(part)._asdict()))
    return made
