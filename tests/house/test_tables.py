"""The tables of parts: every line leads to a part, and every part of a known kind has its line."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import i2i
from i2i.tables import Table


def tables() -> dict[str, Table]:
    """Every table of the package by the name of the package that holds it."""
    found = {}
    for module in pkgutil.walk_packages(i2i.__path__, "i2i."):
        if module.ispkg:
            held = [value for value in vars(importlib.import_module(module.name)).values() if isinstance(value, Table)]
            assert len(held) <= 1, f"{module.name} holds two tables"
            found |= dict.fromkeys([module.name] * len(held), held[0]) if held else {}
    return found


TABLES = tables()
LINES = [(home, name) for home, table in TABLES.items() for name in table]


def parts(home: str) -> dict[str, type]:
    """The concrete classes of a table's package that inherit from a base which an entry inherits from, too."""
    modules = [importlib.import_module(f"{home}.{module.name}") for module in _files(home)]
    classes = {f"{c.__module__}:{c.__name__}": c for m in modules for _, c in inspect.getmembers(m, inspect.isclass)}
    entries = [entry for entry in TABLES[home].values() if inspect.isclass(entry)]
    bases = {base for entry in entries for base in entry.__mro__[1:] if base.__module__.startswith(f"{home}.")}
    return {
        place: c
        for place, c in classes.items()
        if c.__module__.startswith(f"{home}.")
        and c not in bases
        and bases & set(c.__mro__)
        and not inspect.isabstract(c)
    }


def _files(home: str) -> list[pkgutil.ModuleInfo]:
    return [module for module in pkgutil.iter_modules(importlib.import_module(home).__path__) if not module.ispkg]


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
    assert set(parts(home)) <= set(TABLES[home].locations())
