"""Results of a bench as a CSV file: a line for each run, written when it is done; what is there is not run again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, str]]:
    """The lines that are there."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Add one line, with the header when the file is new."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(line), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(line)


def fill(path: Path, runs: Iterable[Mapping[str, Any]], measure: Callable[..., dict[str, Any]]) -> None:
    """Call `measure` with each run's key that no line has yet, and write and print the line that it gives."""
    for key in runs:
        if any(all(line[name] == str(value) for name, value in key.items()) for line in read(path)):
            continue
        line = measure(**key)
        append(path, line)
        print(" ".join(f"{name}={value}" for name, value in line.items()), flush=True)
