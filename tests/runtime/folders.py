"""What the tests of folder conversion share: making pictures, converting, reading results."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.runtime.convert import Options, convert_folder


def picture(path: Path, value: int = 10, size: tuple[int, int] = (5, 3), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path, **options)
    return path


def converted(translator, source, **options):
    others = {name: options.pop(name) for name in ("report", "stopped", "model") if name in options}
    output = source.parent / "out"
    return convert_folder(translator, source, output, options=Options(**options), **{"model": "digest", **others})


def refused(translator, source, **options) -> I2IError:
    with pytest.raises(I2IError) as caught:
        converted(translator, source, **options)
    return caught.value


def names(folder: Path) -> set[str]:
    files = (os.path.relpath(path, folder) for path in folder.rglob("*") if not path.is_dir())
    return {name for name in files if not name.endswith(".jsonl") and Path(name).name != ".lock"}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def level(path: Path) -> int:
    return int(np.asarray(Image.open(path).convert("L"))[0, 0])
