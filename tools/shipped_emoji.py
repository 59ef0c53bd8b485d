"""What the shipped emoji models have in common: how they are measured and shown."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import python

ROWS = 4


def scores(folder: Path, data: Path, source: str, target: str, metrics: Sequence[str]) -> dict[str, Any]:
    """`i2i evaluate` on the split test, baselines beside."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "metrics.json")
        words = ["--data", str(data), "--data.source", source, "--data.target", target]
        words += ["--metrics", ",".join(metrics), "--baselines", "--json", str(file)]
        python("-m", "i2i", "evaluate", str(folder), *words)
        result: dict[str, Any] = json.loads(file.read_text())
    return result


def table(name: str, metrics: dict[str, Any], keys: Sequence[str]) -> str:
    """The model and the baselines as a Markdown table."""
    rows = {name: metrics, **metrics["baselines"]}
    lines = [f"| | {' | '.join(keys)} |", f"|---{'|---' * len(keys)}|"]
    lines += [f"| {row} | " + " | ".join(f"{values[key]:.3f}" for key in keys) + " |" for row, values in rows.items()]
    return "\n".join(lines)


def examples(out: Path, data: Path, sides: tuple[str, str], heads: tuple[str, ...], *, columns: int) -> None:
    """OUT/examples.png: pictures of the split test, evenly chosen, with the output of model.onnx between."""
    import i2i
    from i2i import files
    from i2i.evaluation.grids import grid
    from i2i.images.codec import encode, read

    translate = i2i.load(out / "model.onnx")
    source, target = (data / "test" / side for side in sides)
    names = sorted(path.name for path in source.iterdir() if (target / path.name).exists())
    chosen = [names[index] for index in np.linspace(0, len(names) - 1, ROWS * columns).round().astype(int)]
    pairs = [(read(source / name).pixels, read(target / name).pixels) for name in chosen]
    shown = [[start, translate(start), goal] for start, goal in pairs]
    rows = [[picture for triple in shown[row::ROWS] for picture in triple] for row in range(ROWS)]
    files.publish_bytes(out / "examples.png", encode(grid(rows, heads * columns), format="png"), overwrite=True)
