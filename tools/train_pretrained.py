"""Train a model of `pretrained/` again, or make its folder from a finished run.

usage: python tools/train_pretrained.py NAME [--data DIR] [--run RUN] [--out DIR]

Builds the training set when it is not there, trains by `pretrained/NAME/recipe.yaml` (an interrupted run goes on; with
a `refine.yaml` beside it a second time, from the first model, with a `refine-2.yaml` a third time), and writes
model.onnx and model.safetensors (weights stored in fp16), card.json, README.md and examples.png. The weights are
rounded to fp16 first: what is measured, exported and stored for training on are the same numbers.

A new model is one file `tools/shipped_NAME.py` and a line in MODELS. Two directions of one run share both, and the
recipe in the folder of the first. A model of fonts is shipped with its source font, which lies beside the recipe and
draws as that of the training did (`tools/cut_font.py`).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from runs import ROOT, finish

from i2i.loading import Direction


class Shipped(NamedTuple):
    """The script of a model, the model with whose recipe it is trained (empty: its own), which way it goes, the file of
    the source font of one that writes fonts, and of one that is measured on pairs the folders of both sides. `refined`:
    the last training's model is shipped, else the first one's.
    """

    script: str
    recipe: str = ""
    direction: Direction = "a2b"
    font: str = ""
    sides: tuple[str, str] | None = None
    refined: bool = True


MODELS = {
    "satellite2relief": Shipped("shipped_satellite2relief", sides=("satellite", "relief")),
    "digits": Shipped("shipped_digits"),
    "line2emoji": Shipped("shipped_line2emoji", sides=("line", "fluent")),
    "noto2fluent": Shipped("shipped_noto_fluent", sides=("noto", "fluent")),
    "brush": Shipped("shipped_brush", font="NotoSansSC.otf"),
    # In this direction the second training's generator learns the borders of moved pictures: marks in corners.
    "fluent2noto": Shipped(
        "shipped_noto_fluent", recipe="noto2fluent", direction="b2a", sides=("fluent", "noto"), refined=False
    ),
    "faces-attributes": Shipped("shipped_faces_attributes"),
    "emoji-styles": Shipped("shipped_emoji_styles"),
}


def data_folder(name: str) -> Path:
    """Where the data of a model are built."""
    return ROOT / "runs" / f"{MODELS[name].recipe or name}-data"


def made(folder: Path) -> Path:
    """The folder, made where it was not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def trainings(recipe: str, run: Path, *, refined: bool) -> list[tuple[Path, list[str]]]:
    """The runs in their order, each with what it is told: RUN by `recipe.yaml`; with `refined` RUN-refined from its
    model by `refine.yaml` on top, and from that one's RUN-refined-2 by `refine-2.yaml`, as far as these are there.
    """
    words = ["-c", f"pretrained/{recipe}/recipe.yaml"]
    runs = [(run, words)]
    for name, ending in (("refine", "refined"), ("refine-2", "refined-2")) if refined else ():
        settings = f"pretrained/{recipe}/{name}.yaml"
        if (ROOT / settings).exists():
            init = ["--init", str(runs[-1][0].absolute())]
            runs.append((run.with_name(f"{run.name}-{ending}"), [*words, "-c", settings, *init]))
    return runs


def train(recipe: str, script: Any, data: Path, run: Path, *, refined: bool) -> Path:
    """Bring the `trainings` to their end, from wherever they stand. Gives the run to ship."""
    if not data.exists():  # what was interrupted has another name
        with tempfile.TemporaryDirectory(dir=made(data.parent)) as scratch:
            script.build(Path(scratch, "data"))
            Path(scratch, "data").rename(data)
    for last, words in trainings(recipe, run, refined=refined):
        finish(last, script.PRESET, "--data", str(data), *words)
    return last


def with_font(folder: Path, font: Path) -> None:
    """Put the source font beside a model of fonts, and its name into the card."""
    from i2i.weights.store import load_model, save_model

    generator, card = load_model(folder)
    if card.drawing is None:
        raise SystemExit(f"{card.name} does not write fonts and is shipped with none")
    drawing = card.drawing.model_copy(update={"file": font.name})
    save_model(folder, generator, card.model_copy(update={"drawing": drawing}), half=True, overwrite=True)
    beside(font, folder)


def beside(font: Path, folder: Path) -> None:
    """The font in a folder, unless it is its own."""
    if made(folder).resolve() != font.parent.resolve():
        shutil.copyfile(font, folder / font.name)


def said(name: str, recipe: str) -> dict[str, str]:
    """What the recipe says of the model for people to read; the run may have begun with other words."""
    from i2i.recipes.merging import read

    values = read(ROOT / "pretrained" / recipe / "recipe.yaml")
    return {"name": name, "licence": values["licence"], "training_data": values["training_data"]}


def rounded(run: Path, step: int | None, direction: Direction, folder: Path, words: dict[str, str]) -> None:
    """The averaged weights of one step of the run (None: the last), rounded to fp16, in a model folder."""
    from i2i.loading import resolve
    from i2i.training import checkpoint
    from i2i.weights.store import load_model, save_model

    generator, card = load_model(resolve(run, engine="torch", direction=direction).path)
    step = card.step if step is None else step
    averages = checkpoint.read(run / "checkpoints" / f"step-{step:08d}")["averages"]
    average = averages[direction] if direction in averages else next(iter(averages.values()))
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
    report = export_onnx(generator, card, out / "model.onnx", overwrite=True, half_weights=True)
    print(f"parity with torch: {report}")


def describe(name: str, script: Any, out: Path, metrics: dict[str, Any]) -> None:
    """README.md of the shipped folder."""
    from i2i import files
    from i2i.weights.store import read_card

    card = read_card(out)
    text = f"""# {name}

{script.page(card, metrics).strip()}

Repeat it with `python tools/train_pretrained.py {name}`. Licence of the weights: {card.licence}.
Training data: {card.training_data}.
"""
    files.publish_text(out / "README.md", text, overwrite=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(MODELS))
    parser.add_argument("--data", type=Path, metavar="DIR", help="(default: runs/RECIPE-data, built if it is new)")
    parser.add_argument("--run", type=Path, metavar="RUN", help="run folder (default: runs/RECIPE)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: pretrained/NAME")
    options = parser.parse_args()
    shipped = MODELS[options.name]
    script, recipe = import_module(shipped.script), shipped.recipe or options.name
    data = (options.data or data_folder(options.name)).absolute()
    run = options.run or ROOT / "runs" / recipe
    out = options.out or ROOT / "pretrained" / options.name
    run = train(recipe, script, data, run, refined=shipped.refined)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, options.name)
        rounded(run, script.STEP, shipped.direction, folder, said(options.name, recipe))
        font = ROOT / "pretrained" / recipe / shipped.font
        if shipped.font:
            with_font(folder, font)
        metrics = script.measured(folder, data)
        publish(folder, out, metrics)
        if shipped.font:
            beside(font, out)
    script.picture(out, data)
    describe(options.name, script, out, metrics)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
