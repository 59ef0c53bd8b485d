"""What 8-bit integers cost the models under pretrained/, on their test sets: a Markdown table.

usage: python tools/int8_quality.py [NAME ...] [--data NAME=DIR ...] [--target any|vnni] [--psnr DB] [--json FILE]

Every model is exported in fp32 and in int8, calibrated with its training pictures. `PSNR to fp32` is that of the mean
squared difference between the two over all test pictures (a generator from noise: 300 latents); then the model's own
metrics, fp32 -> int8, as `i2i evaluate` and `tools/read_back.py` measure them. Data are looked for in runs/NAME-data,
where `tools/train_pretrained.py NAME` builds them; a model without data is named with a reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from runs import ROOT

import i2i
from i2i.errors import I2IError
from i2i.export.int8.feeds import of_folder, of_noise
from i2i.export.int8.quantise import Calibration, Target, difference
from i2i.export.onnx import export_onnx
from i2i.export.parity import decibel
from i2i.files import publish_text
from i2i.images.codec import read
from i2i.images.listing import list_images
from i2i.loading import resolve
from i2i.runtime.onnx import read_onnx_card
from i2i.runtime.sampler import Sampler
from i2i.weights.store import load_model

FILES = ("fp32", "int8")
SHOWN = ("psnr", "ssim", "kid", "top1", "top5", "gradient", "read", "teach", "spread")
LATENTS = 300


class Data(NamedTuple):
    """Where a model's data are, and the names of their sides; none of a generator from noise."""

    folder: str
    sides: tuple[str, str] | None


MODELS = {
    "satellite2relief": Data("tests/data/earth", ("satellite", "relief")),
    "line2emoji": Data("runs/line2emoji-data", ("line", "fluent")),
    "noto2fluent": Data("runs/noto2fluent-data", ("noto", "fluent")),
    "fluent2noto": Data("runs/noto2fluent-data", ("fluent", "noto")),
    "digits": Data("runs/digits-data", None),
}


def export(name: str, data: Path, folder: Path, *, target: Target, psnr: float) -> None:
    """FOLDER/fp32.onnx and int8.onnx."""
    generator, card = load_model(resolve(name, engine="torch").path)
    sides = MODELS[name].sides
    feeds = of_noise(card) if sides is None else of_folder(card, data / "train" / sides[0])
    export_onnx(generator, card, folder / "fp32.onnx")
    export_onnx(generator, card, folder / "int8.onnx", calibration=Calibration(feeds, target=target, psnr=psnr))


def psnr(name: str, data: Path, folder: Path) -> tuple[float, int]:
    """PSNR and largest difference between both files, over the test pictures or latents."""
    translators: list[Any] = [i2i.load(folder / f"{file}.onnx") for file in FILES]
    sides = MODELS[name].sides
    if sides is None:
        latents, card = translators[0].latents(LATENTS, seed=0), translators[0].card
        domains = None if card.condition is None else np.arange(LATENTS) % len(card.condition.names)
        made = [[translate.apply(latents, domain=domains)] for translate in translators]
    else:
        test, colour = data / "test" / sides[0], translators[0].card.source.colour
        sources = [read(test / path, colour=colour).pixels for path in list_images(test)]
        made = [[translate.apply(source) for source in sources] for translate in translators]
    error, largest = difference(*made)
    return decibel(error), largest


def metrics(name: str, data: Path, model: Path) -> dict[str, float]:
    """The model's own figures."""
    sides = MODELS[name].sides
    if sides is None:
        from read_back import judged

        sampler = i2i.load(model)
        assert isinstance(sampler, Sampler)  # without sides it makes pictures from noise
        found = judged(sampler, data, count=LATENTS, seed=0)
    else:
        scores = model.with_suffix(".json")
        command = [sys.executable, "-m", "i2i", "evaluate", str(model), "--data", str(data), "--json", str(scores)]
        command += ["--data.source", sides[0], "--data.target", sides[1], "--metrics", "all"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(scores.read_text())
    return {key: float(found[key]) for key in SHOWN if isinstance(found.get(key), int | float)}


def judged_model(name: str, data: Path, *, target: Target, least: float) -> dict[str, Any]:
    """All figures of a model, or under `reason` why there are none."""
    if not data.is_dir():
        return {"reason": f"no data in {data}; python tools/train_pretrained.py {name} builds them"}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            export(name, data, folder, target=target, psnr=least)
        except I2IError as error:
            return {"reason": f"{error.code}: {error}"}
        precision = read_onnx_card(folder / "int8.onnx").precision
        assert precision is not None and precision.layers is not None  # it is in integers
        found, largest = psnr(name, data, folder)
        return {
            "layers": list(precision.layers),
            "psnr": found,
            "largest_difference": largest,
            "bytes": {file: (folder / f"{file}.onnx").stat().st_size for file in FILES},
            "metrics": {file: metrics(name, data, folder / f"{file}.onnx") for file in FILES},
        }


def row(name: str, result: dict[str, Any]) -> str:
    """A line of the table."""
    if "reason" in result:
        return f"| `{name}` | {result['reason']} | | | |"
    before, after = (result["metrics"][file] for file in FILES)
    changes = ", ".join(f"{key} {before[key]:.3f} -> {after[key]:.3f}" for key in before)
    sizes = " -> ".join(f"{result['bytes'][file] / 1e6:.1f}" for file in FILES)
    whole, layers = f"{result['psnr']:.1f} dB, {result['largest_difference']}", result["layers"]
    return f"| `{name}` | {whole} | {layers[0]} of {layers[1]} | {sizes} | {changes} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--data", nargs="*", default=[], metavar="NAME=DIR", help="where the data of a model are")
    parser.add_argument("--target", choices=["any", "vnni"], default="any", help="(default: %(default)s)")
    parser.add_argument("--psnr", type=float, default=40.0, metavar="DB", help="asked of it (default: %(default)g)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, replacing an older file")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MODELS]
    if unknown:
        parser.error(f"no model {unknown[0]}; known: {', '.join(MODELS)}")
    places = dict(entry.split("=", 1) for entry in options.data)
    results = {}
    print("| model | PSNR to fp32, largest difference | layers in int8 | MB | its own metrics |")
    print("|---|---|---|---|---|")
    for name in options.names or MODELS:
        data = Path(places.get(name, ROOT / MODELS[name].folder))
        results[name] = judged_model(name, data, target=options.target, least=options.psnr)
        print(row(name, results[name]), flush=True)
    if options.json:
        publish_text(options.json, json.dumps(results, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
