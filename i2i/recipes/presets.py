"""The table of presets: a published training by name. A new one is one YAML file in `presets/`."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

from i2i.errors import I2IError
from i2i.recipes.merging import read
from i2i.tables import unknown

FOLDER = Path(__file__).parent / "presets"


def names() -> list[str]:
    """Every preset."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def summary(name: str) -> str:
    """What a preset's file says of itself: the comment that it begins with, as one line."""
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    return " ".join(line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines))


def preset(name: str) -> dict[str, Any]:
    """The values of a preset. Raises `I2IError` (E_RECIPE) for an unknown name."""
    if name not in names():
        raise I2IError("E_RECIPE", unknown("preset", name, names()))
    return {"preset": name, **read(FOLDER / f"{name}.yaml")}
