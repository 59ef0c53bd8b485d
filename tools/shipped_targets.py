"""What the shipped translators to many targets have in common: how they are measured and shown."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from runs import python


def scores(folder: Path, data: Path) -> dict[str, Any]:
    """`i2i evaluate` on the split test with every metric: means at the top, the targets below."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "metrics.json")
        python("-m", "i2i", "evaluate", str(folder), "--data", str(data), "--metrics", "all", "--json", str(file))
        result: dict[str, Any] = json.loads(file.read_text())
    return result


def examples(out: Path, data: Path, *, rows: int) -> None:
    """OUT/examples.png: pictures of the split test, evenly chosen, and what model.onnx makes of each by name."""
    from i2i import files
    from i2i.evaluation.between import labelled
    from i2i.evaluation.conditioned import targets_grid
    from i2i.evaluation.generated import source_for
    from i2i.evaluation.monitor import evenly
    from i2i.images.codec import encode
    from i2i.runtime.onnx import OnnxSession

    session = OnnxSession(out / "model.onnx")
    told = labelled(source_for(session.card, data), "test", session.card).told
    pixels = targets_grid(session, session.card, evenly(told, rows))
    files.publish_bytes(out / "examples.png", encode(pixels, format="png"), overwrite=True)
