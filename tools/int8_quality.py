"""What 8-bit integers cost the models under pretrained/, on their test sets: a Markdown table.

usage: python tools/int8_quality.py [NAME ...] [--data NAME=DIR ...] [--count N] [--target any|vnni] [--out FILE.csv]

Every model is exported in fp32 and in int8, calibrated with its training pictures. `PSNR to fp32` is that of the mean
squared difference between the two over N test pictures, held-out characters, or latents; where the model is told a
domain or attributes, over all of them in turn. Then the model's own metrics, fp32 -> int8, as `i2i evaluate` and
`tools/read_back.py` measure them on N test pictures; what learns (a classifier) does so from 4 N training pictures.

Each line goes into FILE.csv as soon as it is measured, and is not measured again. Data are looked for in
runs/NAME-data, where `tools/train_pretrained.py NAME` builds them, and of satellite2relief in the repository; a model
without data is named with the remedy and is measured when they are there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import results
import shipped_brush
import shipped_satellite2relief
from numpy.typing import NDArray
from runs import ROOT
from subset import copied, evenly
from train_pretrained import MODELS, data_folder

import i2i
from i2i.errors import I2IError
from i2i.export.int8.feeds import Feeds, of_folder, of_noise, of_pictures
from i2i.export.int8.quantise import Calibration, Target, difference
from i2i.export.onnx import export_onnx
from i2i.export.parity import decibel
from i2i.images.card import ImageCard
from i2i.images.codec import list_images, read
from i2i.loading import resolve
from i2i.runtime.conditions import drawn
from i2i.runtime.onnx import read_onnx_card
from i2i.runtime.sampler import Sampler
from i2i.weights.store import load_model

FILES = ("fp32", "int8")
COUNT = 96
LEARNT = 4  # training pictures for each test picture
SHOWN = (
    *("psnr", "ssim", "l1", "ink_iou", "kid", "top1", "top5", "gradient"),
    *("accuracy", "kept", "cycle_psnr", "read", "teach", "spread"),
)


def place(name: str) -> Path:
    """Where a model's data are, unless it is said."""
    return shipped_satellite2relief.TEST if name == "satellite2relief" else data_folder(name)


def glyphs(card: ImageCard, data: Path, split: str, count: int) -> list[NDArray[Any]]:
    """Characters (H, W, 1) of a split, drawn in the source font."""
    from i2i.data.charsets import characters
    from i2i.data.charsets import split as divided
    from i2i.data.typeface import Typeface

    assert card.drawing is not None and card.sizing.width is not None  # a model of fonts
    _, charset, _, held = shipped_brush.HELD
    wanted = evenly(divided(characters(charset), test=int(held), val=0)[split], count)
    face = Typeface(data / shipped_brush.SOURCE, size=card.sizing.width, placing=card.drawing)
    return [face.draw(character)[:, :, None] for character in wanted]


def calibration(name: str, card: ImageCard, data: Path) -> Feeds:
    """Inputs of the training pictures."""
    if card.latent is not None:
        return of_noise(card)
    if card.drawing is not None:
        return of_pictures(card, glyphs(card, data, "train", 128))
    sides = MODELS[name].sides
    return of_folder(card, data / "train" / (sides[0] if sides else ""))


def sources(name: str, model: Any, data: Path, count: int) -> list[NDArray[Any]]:
    """Latents, or pictures (H, W, C) that training has not seen."""
    card = model.card
    if isinstance(model, Sampler):
        return list(model.latents(count, seed=0)[:, None])
    if card.drawing is not None:
        return glyphs(card, data, "test", count)
    sides = MODELS[name].sides
    folder = data / "test" / (sides[0] if sides else "")
    return [read(folder / path, colour=card.source.colour).pixels for path in evenly(list_images(folder), count)]


def nearness(name: str, data: Path, folder: Path, count: int) -> tuple[float, int]:
    """PSNR and largest difference between both files."""
    models: list[Any] = [i2i.load(folder / f"{file}.onnx") for file in FILES]
    given = sources(name, models[0], data, count)
    told = drawn(models[0].card, len(given), seed=0)
    made = [
        [model.apply(source, **told.rows([number])._asdict()) for number, source in enumerate(given)]
        for model in models
    ]
    error, largest = difference(*made)
    return decibel(error), largest


def metrics(name: str, data: Path, model: Path, count: int) -> dict[str, float]:
    """The model's own figures."""
    loaded, shipped = i2i.load(model), MODELS[name]
    if isinstance(loaded, Sampler):
        from read_back import judged

        return _shown(judged(loaded, data, count=count, seed=0))
    scores = model.with_suffix(".json")
    words = ["--data", str(data), "--json", str(scores)]
    if shipped.font:
        words += ["--data.source", shipped.font, "--metrics", "l1,ssim,ink_iou"]
        words += [*shipped_brush.HELD[:-1], str(count)]  # the first of those held out
    else:
        words += ["--metrics", "all"]
    if shipped.sides:
        words += ["--data.source", shipped.sides[0], "--data.target", shipped.sides[1]]
    command = [sys.executable, "-m", "i2i", "evaluate", str(model), *words]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return _shown(json.loads(scores.read_text()))


def _shown(found: dict[str, Any]) -> dict[str, float]:
    return {key: round(float(found[key]), 5) for key in SHOWN if isinstance(found.get(key), int | float)}


def measured(
    places: dict[str, Path], model: str, weights: str, target: Target, psnr: float, count: int
) -> dict[str, Any]:
    """The line of a model, `weights` a digest of its file; `refused` says why there are no figures."""
    line: dict[str, Any] = {"model": model, "weights": weights, "target": target, "psnr": psnr, "count": count}
    line["refused"] = ""
    columns = ("layers", "of_layers", "psnr_to_fp32", "largest_difference", *(f"{file}_bytes" for file in FILES))
    line |= dict.fromkeys((*columns, *FILES), "")
    with tempfile.TemporaryDirectory() as scratch:
        folder, data = Path(scratch), places[model]
        network, card = load_model(resolve(model, engine="torch").path)
        feeds = calibration(model, card, data)
        export_onnx(network, card, folder / "fp32.onnx")
        wanted = Calibration(feeds, target=target, psnr=psnr)
        try:
            export_onnx(network, card, folder / "int8.onnx", calibration=wanted)
        except I2IError as error:
            return line | {"refused": f"{error.code}: {error}"}
        precision = read_onnx_card(folder / "int8.onnx").precision
        assert precision is not None and precision.layers is not None  # it is in integers
        near = nearness(model, data, folder, count)
        sizes = ((folder / f"{file}.onnx").stat().st_size for file in FILES)
        line |= dict(zip(columns, (*precision.layers, round(near[0], 2), near[1], *sizes), strict=True))
        few = data if MODELS[model].font else copied(data, folder / "data", test=count, train=LEARNT * count)
        return line | {file: json.dumps(metrics(model, few, folder / f"{file}.onnx", count)) for file in FILES}


def row(line: dict[str, str]) -> str:
    """A line of the table."""
    if line["refused"]:
        return f"| `{line['model']}` | {line['refused']} | | | |"
    before, after = (json.loads(line[file]) for file in FILES)
    changes = ", ".join(f"{key} {before[key]:.3f} -> {after[key]:.3f}" for key in before)
    sizes = " -> ".join(f"{int(line[f'{file}_bytes']) / 1e6:.1f}" for file in FILES)
    near = f"{line['psnr_to_fp32']} dB, {line['largest_difference']}"
    return f"| `{line['model']}` | {near} | {line['layers']} of {line['of_layers']} | {sizes} | {changes} |"


def table(lines: list[dict[str, str]]) -> str:
    """All lines as Markdown."""
    heads = [
        "| model | PSNR to fp32, largest difference | layers in int8 | MB | its own metrics |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*heads, *map(row, lines)])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--data", nargs="*", default=[], metavar="NAME=DIR", help="where the data of a model are")
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help="test pictures (default: %(default)s)")
    parser.add_argument("--target", choices=["any", "vnni"], default="any", help="(default: %(default)s)")
    parser.add_argument("--psnr", type=float, default=40.0, metavar="DB", help="asked of it (default: %(default)g)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="go on with this CSV file (default: none is kept)")
    options = parser.parse_args()
    strange = {*options.names, *(entry.partition("=")[0] for entry in options.data)} - set(MODELS)
    if strange:
        parser.error(f"no model {', '.join(sorted(strange))}; known: {', '.join(MODELS)}")
    if options.count < 8:
        parser.error(f"--count is 8 at least, got {options.count}")
    return options


def main() -> int:
    options = arguments()
    said = dict(entry.split("=", 1) for entry in options.data)
    places = {name: Path(said.get(name, place(name))).absolute() for name in options.names or MODELS}
    for name, folder in places.items():
        if not folder.is_dir():
            remedy = f"python tools/train_pretrained.py {name} builds them, --data {name}=DIR names others"
            print(f"{name}: no data in {folder}; {remedy}", file=sys.stderr)
    settings = {"target": options.target, "psnr": options.psnr, "count": options.count}
    wanted = [
        {"model": name, "weights": resolve(name, engine="torch").digest()[:12], **settings}
        for name, folder in places.items()
        if folder.is_dir()
    ]
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch, "quality.csv")
        results.fill(out, wanted, partial(measured, places))
        keys = [{name: str(value) for name, value in key.items()} for key in wanted]
        print(table([line for line in results.read(out) if any(key.items() <= line.items() for key in keys)]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
