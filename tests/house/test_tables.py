"""The tables of parts: every line leads to a part, and every part of a known kind has its line."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import i2i
from i2i.tables import Table


def tables() -> dict[str, Table]:
    """Every table of the package by the name of the package that holds it."""
    found: dict[str, Table] = {}
    for module in pkgutil.walk_packages(i2i.__path__, "i2i."):
        if module.ispkg:
            here = [value for value in vars(importlib.import_module(module.name)).values() if isinstance(value, Table)]
            assert len(here) <= 1, f"{module.name} holds two tables"
            found |= dict.fromkeys([module.name] * len(here), here[0]) if here else {}
    return found


TABLES = tables()
LINES = [(home, name) for home, table in TABLES.items() for name in table]


def parts(home: str) -> dict[str, Any]:
    """What of a table's package is of the table's kind, by its place.

    Of the kind is what inherits from a base in the package that an entry inherits from, or has every public attribute
    and constructor argument that all the entries have; where the entries are functions, a function with their
    signature.
    """
    entries = [entry for entry in TABLES[home].values() if inspect.isclass(entry)]
    if not entries:
        signatures = {str(inspect.signature(entry)) for entry in TABLES[home].values()}
        return {
            f"{part.__module__}:{part.__name__}": part
            for part in held(home, inspect.isfunction)
            if str(inspect.signature(part)) in signatures
        }
    bases = {base for entry in entries for base in entry.__mro__[1:] if base.__module__.startswith(f"{home}.")}
    bases -= set(entries)  # an entry may build on another one
    shape = set.intersection(*map(features, entries)) if entries else set()
    return {
        f"{part.__module__}:{part.__name__}": part
        for part in classes(home) - bases
        if bases & set(part.__mro__) or (shape and shape <= features(part))
    }


def classes(home: str) -> set[type]:
    """The public concrete classes that the files of a package define."""
    return {
        c for c in held(home, inspect.isclass) if not inspect.isabstract(c) and not getattr(c, "_is_protocol", False)
    }


def held(home: str, kind: Callable[[object], bool]) -> set[Any]:
    """The public classes, or functions, that the files of a package define."""
    names = [module.name for module in pkgutil.iter_modules(importlib.import_module(home).__path__) if not module.ispkg]
    files = {f"{home}.{name}" for name in names}
    found = [c for file in files for c in vars(importlib.import_module(file)).values() if kind(c)]
    return {c for c in found if c.__module__ in files and not c.__name__.startswith("_")}


def features(part: type) -> set[str]:
    """The public names that a class and its bases in i2i define, and the arguments of its constructor."""
    defined = {name for c in part.__mro__ if c.__module__.startswith("i2i.") for name in vars(c)}
    return {name for name in {*defined, *inspect.signature(part).parameters} if not name.startswith("_")}


def test_the_tables_that_the_design_names_are_there() -> None:
    kinds = {table.kind for table in TABLES.values()}
    assert {"network", "objective", "stabiliser", "method", "metric", "dataset"} <= kinds


@pytest.mark.parametrize(("home", "name"), LINES, ids=[f"{home[4:]}-{name}" for home, name in LINES])
def test_a_line_leads_to_a_part_that_says_what_it_is(home: str, name: str) -> None:
    part = TABLES[home][name]
    assert callable(part)
    assert part.__module__.startswith(f"{home}.")
    assert inspect.getdoc(part)


@pytest.mark.parametrize("home", TABLES)
def test_every_part_of_a_known_kind_has_its_line(home: str) -> None:
    assert set(parts(home)) == set(TABLES[home].locations())
