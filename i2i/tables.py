"""Tables of named parts: a short name for each network, objective, stabiliser, method, dataset or metric.

A table maps the name a user types to `module:attribute`, imported when it is asked for, so that listing the choices
costs nothing and adding a part is one file and one line.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from i2i.errors import I2IError


class Table(Mapping[str, Any]):
    """A read-only mapping of names to parts that imports a part on first use.

    Raises `I2IError` (E_RECIPE) for an unknown name, with the nearest known one.
    """

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Any:
        if name not in self._entries:
            raise I2IError("E_RECIPE", unknown(self.kind, name, self._entries))
        module, _, attribute = self._entries[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def locations(self) -> list[str]:
        """The `module:attribute` of every entry, in order."""
        return list(self._entries.values())


def unknown(kind: str, name: str, known: Mapping[str, object] | list[str] | tuple[str, ...]) -> str:
    """A message for a name that is not among the known ones: `unknown network 'unett'; did you mean 'unet'? ...`."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ";"
    return f"unknown {kind} '{name}'{hint} known: {', '.join(known)}"
