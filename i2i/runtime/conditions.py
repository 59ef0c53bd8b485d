"""From names to the numbers that the graph takes: the one place where domains and attributes are looked up or drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from i2i.errors import I2IError, printable
from i2i.images.card import Condition, ImageCard
from i2i.tables import unknown

Domains = npt.NDArray[np.int64]  # [N]
Attributes = npt.NDArray[np.float32]  # [N, K]
# By name, by number, or, where the model mixes them, a weight for each.
Domain = str | int | Mapping[str, float]


class Asked(NamedTuple):
    """What N pictures are to be, as a graph takes it: domains [N]; attributes or weights of domains [N, K]; or neither.

    Of a translator an attribute that is NaN stays as it is in the picture.
    """

    domain: Domains | None = None
    condition: Attributes | None = None

    def rows(self, which: slice | list[int]) -> Asked:
        """What some of the pictures are to be."""
        return Asked(
            None if self.domain is None else self.domain[which],
            None if self.condition is None else self.condition[which],
        )


def asked(
    card: ImageCard,
    count: int,
    *,
    domain: Domain | Sequence[Domain] | None = None,
    attributes: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Asked:
    """What `count` pictures from noise are to be: all of one domain, or one a picture; attributes by name, and those
    that are not named as `drawn` has them.

    Of an exclusive group all are at the low end of their range but those that are named, if any is. Raises `I2IError`
    (E_CONDITION) for names, numbers of names or values that do not fit the card.
    """
    condition = card.condition
    if condition is None or condition.kind == "domains" or domain is not None:
        return _domains(card, count, domain, attributes)
    values = attributes or {}
    rows = drawn(card, count, seed=seed).condition
    assert rows is not None  # the card has attributes
    for group in (group for group in condition.exclusive_groups if not values.keys().isdisjoint(group)):
        _clear(condition, rows, group)
    return _set(condition, rows, values)


def changed(
    card: ImageCard,
    count: int,
    *,
    domain: Domain | Sequence[Domain] | None = None,
    attributes: Mapping[str, float] | None = None,
) -> Asked:
    """What `count` pictures are to become: all of one domain, or one a picture; or with these attributes by name.

    An attribute that is not named stays as it is in the picture: NaN says so to the graph. Where a member of an
    exclusive group is set above the low end of its range, the others go to theirs. Raises `I2IError` (E_CONDITION) as
    `asked`, where two of a group are set nearer to the high end than to the low one, and where nothing is said though
    the model has to be told something.
    """
    condition = card.condition
    if condition is None or condition.kind == "domains" or domain is not None:
        return _domains(card, count, domain, attributes)
    if attributes is None:
        message = f"model '{card.name}' needs to be told what to change, some of: {', '.join(condition.names)}"
        raise I2IError("E_CONDITION", f"{message}; as in --set {condition.names[0]}=1")
    rows = np.full((count, len(condition.names)), np.nan, np.float32)
    low, high = ends(condition)
    for group in condition.exclusive_groups:
        given = [(name, at) for name, at in zip(group, _columns(condition, group), strict=True) if name in attributes]
        on = [name for name, at in given if attributes[name] > (low[at] + high[at]) / 2]
        if len(on) > 1:
            both = " and ".join(f"'{name}'" for name in on)
            raise I2IError("E_CONDITION", f"attributes {both} exclude each other; set one of them")
        if any(attributes[name] > low[at] for name, at in given):
            _clear(condition, rows, group)
    return _set(condition, rows, attributes)


def drawn(card: ImageCard, count: int, *, seed: int) -> Asked:
    """What `count` pictures of a sheet are to be, a function of the seed: fewer are the first of more.

    Domains come in turn. Attributes are drawn evenly from their ranges, and the members of an exclusive group come in
    turn: one is at the high end of its range, the others at the low end.
    """
    condition = card.condition
    if condition is None:
        return Asked()
    if condition.kind == "domains":
        return of_numbers(card, np.arange(count, dtype=np.int64) % len(condition.names))
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


def of_numbers(card: ImageCard, numbers: Domains) -> Asked:
    """What pictures are to be whose domains are these numbers [N]; mixtures get the whole weight on one."""
    assert card.condition is not None  # the caller has seen that the card has domains
    if card.condition.port == "domain":
        return Asked(domain=numbers)
    return Asked(condition=np.eye(len(card.condition.names), dtype=np.float32)[numbers])


def check(card: ImageCard, count: int, given: Asked) -> None:
    """Raise `I2IError` unless `given` says of `count` pictures what the card asks for: E_CONDITION for a missing,
    surplus or unknown condition, E_SIZE for another shape.
    """
    condition = card.condition
    wanted = None if condition is None else condition.port
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
            raise I2IError("E_CONDITION", _no_such(card, outside[0]))
    keeps = card.latent is None and condition is not None and condition.kind == "attributes"
    if given.condition is not None and (np.isinf if keeps else _not_finite)(given.condition).any():
        message = f"'condition' of model '{card.name}' has a number that is not finite"
        raise I2IError("E_CONDITION", f"{message}; an attribute to keep is NaN" if keeps else message)


def _not_finite(values: Attributes) -> npt.NDArray[np.bool_]:
    return ~np.isfinite(values)


def domain_folders(names: Sequence[str]) -> dict[str, Path]:
    """A folder for the pictures of each domain, by its name. Raises `I2IError` (E_CONDITION) where a name is none."""
    for name in names:
        if name in ("", ".", "..") or Path(name).name != name or "\\" in name or not name.isprintable():
            message = f"no folder can be named '{printable(name)}'; name this domain by itself with --domain"
            raise I2IError("E_CONDITION", message)
    return {name: Path(name) for name in names}


def ends(condition: Condition) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The low and the high end of each attribute's range, [K]."""
    low, high = np.array(condition.ranges or [(0.0, 1.0)] * len(condition.names)).T
    return low, high


def _domains(
    card: ImageCard,
    count: int,
    domain: Domain | Sequence[Domain] | None,
    attributes: Mapping[str, float] | None,
) -> Asked:
    """What is asked of a model that has domains, or nothing to be told."""
    condition = card.condition
    kind = None if condition is None else condition.kind
    if attributes and kind != "attributes":
        raise I2IError("E_CONDITION", f"model '{card.name}' takes no attributes; leave out {', '.join(attributes)}")
    if condition is None or kind != "domains":
        if domain is None:
            return Asked()
        named = f"model '{card.name}' takes no domain; leave out {_said(domain)}"
        raise I2IError("E_CONDITION", named if condition is None else f"{named} and set {', '.join(condition.names)}")
    if domain is None:
        message = f"model '{card.name}' needs a domain, one of: {', '.join(condition.names)}"
        raise I2IError("E_CONDITION", message)
    each = [domain] if isinstance(domain, str | int | np.integer | Mapping) else list(domain)
    if len(each) not in (1, count):
        raise I2IError("E_CONDITION", f"{len(each)} domains for {count} pictures; name one, or one a picture")
    if condition.port == "condition":
        return Asked(
            condition=np.resize(np.stack([_weights(card, one) for one in each]), (count, len(condition.names)))
        )
    return Asked(domain=np.resize(np.array([_number(card, one) for one in each], np.int64), count))


def _number(card: ImageCard, domain: Domain) -> int:
    """Which of the card's domains is meant."""
    assert card.condition is not None  # the caller has seen that the card has domains
    names = card.condition.names
    if isinstance(domain, Mapping):
        message = f"model '{card.name}' makes one domain at a time and no mixture; name one of: {', '.join(names)}"
        raise I2IError("E_CONDITION", message)
    if isinstance(domain, str):
        if domain not in names:
            raise I2IError("E_CONDITION", unknown("domain", domain, names))
        return names.index(domain)
    if not 0 <= domain < len(names):
        raise I2IError("E_CONDITION", _no_such(card, domain))
    return int(domain)


def _weights(card: ImageCard, domain: Domain) -> Attributes:
    """The share of each of the card's domains, float32 [K]; together they are 1."""
    assert card.condition is not None  # as above
    given = domain if isinstance(domain, Mapping) else {domain: 1.0}
    shares = np.zeros(len(card.condition.names))
    for name, weight in given.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise I2IError("E_CONDITION", f"domain '{name}' has the weight {weight:g}; weights are numbers from 0 on")
        shares[_number(card, name)] += weight
    if not shares.sum():
        raise I2IError("E_CONDITION", "a mixture of domains needs a weight above 0")
    return np.asarray(shares / shares.sum(), dtype=np.float32)


def _said(domain: Domain | Sequence[Domain]) -> str:
    return f"'{domain}'" if isinstance(domain, str | int) else str(domain)


def _no_such(card: ImageCard, number: int) -> str:
    assert card.condition is not None  # as above
    last = len(card.condition.names) - 1
    return f"there is no domain {number}; model '{card.name}' has 0 to {last}: {', '.join(card.condition.names)}"


def _columns(condition: Condition, names: Sequence[str]) -> list[int]:
    return [condition.names.index(name) for name in names]


def _clear(condition: Condition, rows: Attributes, group: Sequence[str]) -> None:
    """Put the members of a group to the low ends of their ranges."""
    columns = _columns(condition, group)
    rows[:, columns] = ends(condition)[0][columns]


def _set(condition: Condition, rows: Attributes, values: Mapping[str, float]) -> Asked:
    low, high = ends(condition)
    for name, value in values.items():
        if name not in condition.names:
            raise I2IError("E_CONDITION", unknown("attribute", name, condition.names))
        column = condition.names.index(name)
        # As exact as the graph's own numbers: the ends may have been rounded to them.
        if not (math.isfinite(value) and np.float32(low[column]) <= np.float32(value) <= np.float32(high[column])):
            message = f"attribute '{name}' runs from {low[column]:g} to {high[column]:g}, got {value:g}"
            raise I2IError("E_CONDITION", message)
        rows[:, column] = value
    return Asked(condition=rows)
