"""Train a model of `pretrained/` again, or make its folder from a finished run.

usage: python tools/train_pretrained.py NAME [--data DIR] [--run RUN] [--out DIR]

Builds the training set when it is not there, trains by `pretrained/NAME/recipe.yaml` (an interrupted run goes on), and
writes model.onnx, card.json, model.safetensors (fp16), README.md and examples.png. The weights are rounded to fp16
first: what is measured, exported and stored for training on are the same numbers.

A new model is one file `tools/shipped_NAME.py` and a line in MODELS.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from runs import ROOT, finish

MODELS = {"satellite2relief": "shipped_satellite2relief", "digits": "shipped_digits"}


def train(name: str, shipped: Any, data: Path, run: Path) -> None:
    """Bring the run to its end, from wherever it stands."""
    if not data.exists():
        shipped.build(data)
    finish(run, shipped.PRESET, "--data", str(data.absolute()), "-c", f"pretrained/{name}/recipe.yaml")


def said(name: str) -> dict[str, str]:
    """What the recipe says of the model for people to read; the run may have begun with other words."""
    from i2i.recipes.merging import read

    values = read(ROOT / "pretrained" / name / "recipe.yaml")
    return {key: values[key] for key in ("name", "licence", "training_data")}


def rounded(run: Path, step: int | None, folder: Path, words: dict[str, str]) -> None:
    """The averaged weights of one step of the run (None: the last), rounded to fp16, in a model folder."""
    from i2i.training import checkpoint
    from i2i.weights.store import load_model, save_model

    generator, card = load_model(run / "model")
    step = card.step if step is None else step
    average = next(iter(checkpoint.read(run / "checkpoints" / f"step-{step:08d}")["averages"].values()))
    weights = {name.removeprefix("network."): value for name, value in average.items() if name != "updates"}
    generator.load_state_dict(weights, strict=True)
    save_model(folder, generator, card.model_copy(update={"step": step, **words}), half=True, overwrite=True)


def publish(folder: Path, out: Path, metrics: dict[str, Any]) -> None:
    """Write the shipped folder."""
    from i2i.export.onnx import export_onnx
    from i2i.weights.store import load_model, save_model

    generator, card = load_model(folder)
    numbers = {key: round(value, 4) for key, value in metrics.items() if isinstance(value, float)}
    card = card.model_copy(update={"metrics": numbers})
    save_model(out, generator, card, half=True, overwrite=True)
    report = export_onnx(generator, card, out / "model.onnx", overwrite=True)
    print(f"parity with torch: {report}")


def describe(name: str, shipped: Any, out: Path, metrics: dict[str, Any]) -> None:
    """README.md of the shipped folder."""
    from i2i import files
    from i2i.weights.store import read_card

    card = read_card(out)
    text = f"""# {name}

{shipped.page(card, metrics).strip()}

Recipe: `recipe.yaml`; repeat it with `python tools/train_pretrained.py {name}`. Licence of the weights: {card.licence}.
Training data: {card.training_data}.
"""
    files.publish_text(out / "README.md", text, overwrite=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(MODELS))
    parser.add_argument("--data", type=Path, metavar="DIR", help="training set (default: runs/NAME-data, built if new)")
    parser.add_argument("--run", type=Path, metavar="RUN", help="run folder (default: runs/NAME)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: pretrained/NAME")
    options = parser.parse_args()
    shipped = import_module(MODELS[options.name])
    data = options.data or ROOT / "runs" / f"{options.name}-data"
    run = options.run or ROOT / "runs" / options.name
    out = options.out or ROOT / "pretrained" / options.name
    train(options.name, shipped, data, run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, options.name)
        rounded(run, shipped.STEP, folder, said(options.name))
        metrics = shipped.measured(folder, data)
        publish(folder, out, metrics)
    shipped.picture(out)
    describe(options.name, shipped, out, metrics)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
