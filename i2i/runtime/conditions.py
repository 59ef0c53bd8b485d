"""From names to the numbers that the graph takes: the one place where domains and attributes are looked up or drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard
from i2i.tables import unknown

Domains = npt.NDArray[np.int64]  # [N]
Attributes = npt.NDArray[np.float32]  # [N, K]


class Asked(NamedTuple):
    """What N pictures are to be, as a graph takes it: domains [N], or attributes [N, K], or neither."""

    domain: Domains | None = None
    condition: Attributes | None = None

    def rows(self, which: slice | list[int]) -> Asked:
        """What some of the pictures are to be."""
        return Asked(
            None if self.domain is None else self.domain[which],
            None if self.condition is None else self.condition[which],
        )


def domain_index(card: ImageCard, domain: str | None) -> Domains | None:
    """int64 [1], the position of `domain` in the card's list, or None for a model without domains.

    Raises `I2IError` (E_CONDITION) for a missing or unknown name, and for a name given to a model that takes none.
    """
    condition = card.condition
    if condition is None or condition.kind != "domains":
        if domain is not None:
            raise I2IError("E_CONDITION", f"model '{card.name}' takes no domain; leave out '{domain}'")
        if condition is not None:
            message = (
                f"model '{card.name}' takes attributes ({', '.join(condition.names)}), which cannot be set by name"
            )
            raise I2IError("E_CONDITION", message)
        return None
    if domain is None:
        message = f"model '{card.name}' needs a domain, one of: {', '.join(condition.names)}"
        raise I2IError("E_CONDITION", message)
    if domain not in condition.names:
        raise I2IError("E_CONDITION", unknown("domain", domain, condition.names))
    return np.array([condition.names.index(domain)], dtype=np.int64)


def asked(
    card: ImageCard,
    count: int,
    *,
    domain: str | Sequence[str] | None = None,
    attributes: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Asked:
    """What `count` pictures are to be: all of one domain, or one name a picture; attributes by name, and those that
    are not named as `drawn` has them.

    Of an exclusive group all are at the low end of their range but those that are named, if any is. Raises `I2IError`
    (E_CONDITION) for names, numbers of names or values that do not fit the card.
    """
    condition = card.condition
    if attributes and (condition is None or condition.kind != "attributes"):
        named = ", ".join(attributes)
        raise I2IError("E_CONDITION", f"model '{card.name}' takes no attributes; leave out {named}")
    if condition is not None and condition.kind == "attributes" and domain is None:
        return _set(condition, drawn(card, count, seed=seed), attributes or {})
    names = [domain] if domain is None or isinstance(domain, str) else list(domain)
    if len(names) not in (1, count):
        raise I2IError("E_CONDITION", f"{len(names)} domains for {count} pictures; name one, or one a picture")
    indices = [index for index in (domain_index(card, name) for name in names) if index is not None]
    return Asked(domain=np.resize(np.concatenate(indices), count)) if indices else Asked()


def drawn(card: ImageCard, count: int, *, seed: int) -> Asked:
    """What `count` pictures of a sheet are to be, a function of the seed: fewer are the first of more.

    Domains come in turn. Attributes are drawn evenly from their ranges, and the members of an exclusive group come in
    turn: one is at the high end of its range, the others at the low end.
    """
    condition = card.condition
    if condition is None:
        return Asked()
    if condition.kind == "domains":
        return Asked(domain=np.arange(count, dtype=np.int64) % len(condition.names))
    low, high = ends(condition)
    # A stream of its own: noise of the same seed is not to go along with the attributes.
    share = np.random.default_rng([seed, 1]).random((count, len(condition.names)))
    number = np.arange(count)
    for order, group in enumerate(condition.exclusive_groups):
        columns = np.array([condition.names.index(name) for name in group])
        # Each group lags behind those before it by one more a round, or equal ones would always show the same pairs.
        chosen = (number + order * (number // len(group))) % len(group)
        share[:, columns] = np.arange(len(group)) == chosen[:, None]
    return Asked(condition=np.asarray(low + share * (high - low), dtype=np.float32))


def check(card: ImageCard, count: int, given: Asked) -> None:
    """Raise `I2IError` unless `given` says of `count` pictures what the card asks for: E_CONDITION for a missing,
    surplus or unknown condition, E_SIZE for another shape.
    """
    condition = card.condition
    kind = None if condition is None else condition.kind
    wanted = {"domains": "domain", "attributes": "condition", None: None}[kind]
    for name, value in given._asdict().items():
        if (value is None) == (name == wanted):
            word = "takes no" if value is not None else "needs a"
            names = f": {', '.join(condition.names)}" if condition is not None and value is None else ""
            raise I2IError("E_CONDITION", f"model '{card.name}' {word} '{name}'{names}")
        shape = (count,) if name == "domain" else (count, len(condition.names) if condition else 0)
        if value is not None and value.shape != shape:
            raise I2IError("E_SIZE", f"'{name}' of {count} pictures is {list(shape)}, got {list(value.shape)}")
    if condition is not None and given.domain is not None:
        outside = given.domain[(given.domain < 0) | (given.domain >= len(condition.names))]
        if len(outside):
            message = f"there is no domain {outside[0]}; model '{card.name}' has 0 to {len(condition.names) - 1}"
            raise I2IError("E_CONDITION", message)


def ends(condition: Condition) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The low and the high end of each attribute's range, [K]."""
    low, high = np.array(condition.ranges or [(0.0, 1.0)] * len(condition.names)).T
    return low, high


def _set(condition: Condition, base: Asked, values: Mapping[str, float]) -> Asked:
    assert base.condition is not None  # the caller has seen that the card has attributes
    rows, (low, high) = base.condition, ends(condition)
    for group in (group for group in condition.exclusive_groups if not values.keys().isdisjoint(group)):
        columns = [condition.names.index(name) for name in group]
        rows[:, columns] = low[columns]
    for name, value in values.items():
        if name not in condition.names:
            raise I2IError("E_CONDITION", unknown("attribute", name, condition.names))
        column = condition.names.index(name)
        # As exact as the graph's own numbers: the ends may have been rounded to them.
        if not (math.isfinite(value) and np.float32(low[column]) <= np.float32(value) <= np.float32(high[column])):
            message = f"attribute '{name}' runs from {low[column]:g} to {high[column]:g}, got {value:g}"
            raise I2IError("E_CONDITION", message)
        rows[:, column] = value
    return base
