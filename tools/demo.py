"""From pairs of pictures to a translator in an ONNX file, in a few minutes: `make demo` or `python tools/demo.py`.

Trains on the bundled pairs (satellite picture -> shaded relief) by tools/demo.yaml, exports, converts the bundled test
tiles with the ONNX file, measures it against three colour maps, and writes OUT/index.html. Every step is a command that
a user could type, and is shown. Options that are not listed here go to `i2i train`.

The whole demo takes about --minutes on any machine: after a few steps it knows how long a step takes and trains as many
as fit. Each demo works in a new folder OUT/run-N and replaces OUT/index.html; it deletes nothing.

exit codes: 0 done, 1 a promised figure is missed, otherwise the code of the command that failed
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import landsea
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2i import files
from i2i.errors import Exit
from i2i.evaluation.baselines import fit
from i2i.evaluation.evaluate import Translate
from i2i.evaluation.grids import grid
from i2i.evaluation.page import code, page, paragraph, picture, pictures, section, table
from i2i.evaluation.report import direction, read_log
from i2i.images.codec import list_images, read
from i2i.recipes.merging import read as read_recipe

TOOLS = Path(__file__).resolve().parent
DATA = TOOLS.parent / "tests" / "data" / "earth"
SIDES = ("--data.source", "satellite", "--data.target", "relief")
METRICS = "psnr,l1,gradient,spectrum,checkerboard"

MEASURED_STEPS = 30
MOST_STEPS = 2500
AFTERWARDS = 60.0  # seconds kept for export, conversion, evaluation and the page
GRACE = 15.0  # seconds that the training may run over before it is asked to stop
ENLARGED_EVERY = 4

Picture = NDArray[np.uint8]


class Tile(NamedTuple):
    """One test tile, all uint8 (H, W, 3)."""

    name: str
    source: Picture
    output: Picture
    target: Picture


class Trained(NamedTuple):
    """How the training went; `asked` is the number of steps that it set out to do, and `why` says who chose it."""

    steps: int
    asked: int
    minutes: float
    why: str


class Promise(NamedTuple):
    """A figure that the demo has to reach."""

    what: str
    figure: str
    kept: bool


def main(words: Sequence[str]) -> int:
    """Run the demo; returns the exit code."""
    start = time.monotonic()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="for the whole demo (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="train so many steps, however long they take")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="where to write (default: %(default)s)")
    parser.add_argument("--no-check", action="store_true", help="end with 0 even if a promised figure is missed")
    arguments, rest = parser.parse_known_args(words)
    folder = new_folder(arguments.out)
    if arguments.steps:
        trained = train_steps(folder, arguments.steps, rest)
    else:
        trained = train_until(folder, start + 60 * arguments.minutes - AFTERWARDS, arguments.minutes, rest)
    model, converted, scores = folder / "relief.onnx", folder / "converted", folder / "scores.json"
    call("export", folder / "run", model)
    call("convert", model, DATA / "test" / "satellite", converted, "--format", "png")
    call("evaluate", model, "--data", DATA, *SIDES, "--metrics", METRICS, "--baselines", "--json", scores)
    tiles, figures = read_tiles(converted), read_figures(scores)
    add_land_and_sea(figures, tiles)
    kept = promises(figures)
    html = document(tiles, figures, kept, trained, folder)
    files.publish_text(arguments.out / "index.html", html, overwrite=True)
    report(figures, kept, trained, time.monotonic() - start)
    print(f"page: {arguments.out / 'index.html'}")
    return ending(kept, check=not arguments.no_check)


def new_folder(out: Path) -> Path:
    """The first of OUT/run-1, OUT/run-2, ... that is not there yet, made."""
    out.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(p.name[4:]) for p in out.glob("run-*") if p.name[4:].isdecimal()), default=0)
    folder = out / f"run-{number}"
    folder.mkdir()
    return folder


def call(*words: str | Path, seconds: float | None = None) -> bool:
    """Run an i2i command and show it; after `seconds` it is asked to stop. Returns whether it came to its end.

    Raises SystemExit with the command's own code when it fails.
    """
    arguments = [str(word) for word in words]
    print(f"$ i2i {shlex.join(arguments)}", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "i2i", *arguments])
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()  # it saves what it has
        code = process.wait()
        if code == Exit.SIGTERM:
            return False
    except KeyboardInterrupt:  # the terminal has told the command, too
        raise SystemExit(process.wait()) from None
    if code:
        raise SystemExit(code)
    return True


# -- training ------------------------------------------------------------------------------------------------------


def begin(folder: Path, steps: int, rest: Sequence[str]) -> None:
    """The first command: a new run of so many steps."""
    recipe = ("-c", TOOLS / "demo.yaml", "--data", DATA)
    call("train", "pix2pix", *recipe, "--out", folder / "run", "--steps", str(steps), *rest)


def train_steps(folder: Path, steps: int, rest: Sequence[str]) -> Trained:
    """Train a given number of steps."""
    start = time.monotonic()
    begin(folder, steps, rest)
    return Trained(steps, steps, (time.monotonic() - start) / 60, "given by hand (--steps)")


def train_until(folder: Path, deadline: float, minutes: float, rest: Sequence[str]) -> Trained:
    """Train as many steps as fit before the deadline (a `time.monotonic()`), at most 2,500.

    A few steps come first and are timed; the run then goes on from there with the number of steps that this gives.
    """
    start = time.monotonic()
    begin(folder, MEASURED_STEPS, [*rest, "--training.log_every", "1"])
    log = folder / "run" / "log.jsonl"
    each = statistics.median(value for _, value in read_log(log).speed[MEASURED_STEPS // 3 :]) / 1000
    now = time.monotonic()
    ready = now - start - MEASURED_STEPS * each  # seconds that a training needs before its first step
    steps = steps_in(deadline - now, each=each, ready=ready)
    why = f"{minutes:g} minutes for the whole demo, {1000 * each:.0f} ms a step, at most {MOST_STEPS:,} steps"
    print(f"a step takes {1000 * each:.0f} ms: training {steps} steps", flush=True)
    if steps > MEASURED_STEPS:
        more = ("--resume", "--steps", str(steps), "--training.log_every", "20")
        call("train", "pix2pix", "--out", folder / "run", *more, seconds=deadline + GRACE - now)
    done = read_log(log).last_step
    return Trained(done, max(steps, done), (time.monotonic() - start) / 60, why)


def steps_in(seconds: float, *, each: float, ready: float) -> int:
    """How many steps to train in all when so many seconds are left, with `ready` seconds before the next step."""
    return min(MOST_STEPS, MEASURED_STEPS + max(0, int((seconds - ready) / each)))


# -- figures -------------------------------------------------------------------------------------------------------


def read_tiles(converted: Path) -> list[Tile]:
    """Every test tile with its translation."""
    found = []
    for path in list_images(converted):
        name = path.with_suffix(".jpg")
        source, target = (read(DATA / "test" / side / name).pixels for side in ("satellite", "relief"))
        found.append(Tile(path.stem, source, read(converted / path).pixels, target))
    return found


def read_figures(scores: Path) -> dict[str, dict[str, float]]:
    """The metrics of the training and of the baselines by name; the training comes first."""
    values = json.loads(scores.read_text(encoding="utf-8"))
    baselines = values.pop("baselines")
    own = {name: value for name, value in values.items() if isinstance(value, float)}
    return {"this training": own, **baselines}


def add_land_and_sea(figures: Mapping[str, dict[str, float]], tiles: Sequence[Tile]) -> None:
    """Add the land/sea agreement (0..1) of the training and of each baseline to the figures."""
    names = list_images(DATA / "train" / "satellite")
    sides = [[read(DATA / "train" / side / name).pixels for side in ("satellite", "relief")] for name in names]
    maps: dict[str, Translate] = {"identity": lambda picture: picture}
    for subject, colour_map in (maps | fit((source, target) for source, target in sides)).items():
        outputs = [(colour_map(tile.source), tile.target) for tile in tiles]
        figures[subject]["land/sea"] = float(np.mean([landsea.agreement(*pair) for pair in outputs]))
    own = [landsea.agreement(tile.output, tile.target) for tile in tiles]
    figures["this training"]["land/sea"] = float(np.mean(own))


def promises(figures: Mapping[str, Mapping[str, float]]) -> list[Promise]:
    """What the demo promises, and whether it is so."""
    own, linear = figures["this training"], figures["linear map"]["psnr"]
    return [
        Promise("land and sea where they are, >= 95 %", f"{own['land/sea']:.1%}", own["land/sea"] >= 0.95),
        Promise(f"PSNR above the linear map's {linear:.2f} dB", f"{own['psnr']:.2f} dB", own["psnr"] > linear),
        Promise("checkerboard <= 2", f"{own['checkerboard']:.2f}", own["checkerboard"] <= 2),
    ]


def ending(kept: Sequence[Promise], *, check: bool) -> int:
    """The exit code: 1 when a promise is missed, unless nobody checks."""
    return int(Exit.DONE if not check or all(promise.kept for promise in kept) else Exit.ITEMS_FAILED)


def report(
    figures: Mapping[str, Mapping[str, float]], kept: Sequence[Promise], trained: Trained, seconds: float
) -> None:
    """Print one line of figures, and each promise that is not kept."""
    own = figures["this training"]
    maps = f"linear map {figures['linear map']['psnr']:.2f}, quadratic {figures['quadratic map']['psnr']:.2f}"
    print(
        f"\n{trained.steps} steps, {seconds / 60:.1f} min in all: PSNR {own['psnr']:.2f} dB ({maps}), "
        f"land/sea {own['land/sea']:.1%}, checkerboard {own['checkerboard']:.2f}"
    )
    for promise in kept:
        if not promise.kept:
            print(f"MISSED: {promise.what} (is {promise.figure})")


# -- the page ------------------------------------------------------------------------------------------------------


def document(
    tiles: Sequence[Tile],
    figures: Mapping[str, Mapping[str, float]],
    kept: Sequence[Promise],
    trained: Trained,
    folder: Path,
) -> str:
    """The page: pictures, figures against the baselines, and what was trained."""
    recipe = read_recipe(folder / "run" / "recipe.yaml")
    return page(
        "Satellite picture to shaded relief",
        paragraph(
            "Left the satellite picture, in the middle what the network makes of it, on the right the true relief. "
            f"It was trained from nothing for {trained.minutes:.1f} minutes on three regions of the old world and has "
            "never seen these places in America."
        ),
        section("Every fourth test tile, enlarged", *[enlarged(tile) for tile in tiles[::ENLARGED_EVERY]]),
        section("Figures", *figures_part(figures, kept, len(tiles))),
        section("What was trained", *trained_part(recipe, trained, folder)),
        section(f"All {len(tiles)} test tiles", pictures([small(tile) for tile in tiles])),
    )


def enlarged(tile: Tile) -> str:
    """A tile at twice its size."""
    row = [np.asarray(Image.fromarray(p).resize((2 * p.shape[1], 2 * p.shape[0]), Image.Resampling.BICUBIC))
           for p in tile[1:]]  # fmt: skip
    return _figure(tile, row)


def small(tile: Tile) -> str:
    """A tile as it is."""
    return _figure(tile, tile[1:])


def _figure(tile: Tile, row: Sequence[Picture]) -> str:
    error = float(np.mean((tile.output.astype(np.float64) - tile.target) ** 2))
    psnr = f"{10 * np.log10(255**2 / error):.1f} dB" if error else "exact"
    caption = f"{tile.name}: {psnr}, land/sea {landsea.agreement(tile.output, tile.target):.1%}"
    pixels = grid([row], ("satellite", "translation", "truth"))
    return picture(pixels, alt=f"{tile.name}: satellite picture, translation and true relief", caption=caption)


def figures_part(
    figures: Mapping[str, Mapping[str, float]], kept: Sequence[Promise], count: int
) -> tuple[str, str, str]:
    """The table against the baselines and the promises."""
    metrics = list(figures["this training"])
    better = {name: direction(name) for name in metrics} | {"land/sea": "higher"}
    rows = [[name, *(f"{values[name]:.3f}" for values in figures.values()), better[name]] for name in metrics]
    words = (
        f"On all {count} test tiles, of which none was trained on and by which nothing was chosen. The maps are the "
        "best that colours alone can do: each pixel of the relief as a function of the same pixel of the satellite "
        "picture, fitted on the training pairs. psnr and l1 are means over pictures; gradient, spectrum and "
        "checkerboard compare sharpness, fine detail and the pixel grid's pattern with the truth's; land/sea is the "
        "share of pixels that are land or sea as in the truth."
    )
    promised = [[promise.what, promise.figure, "yes" if promise.kept else "NO"] for promise in kept]
    return table(["", *figures, "better"], rows), paragraph(words), table(["promised", "is", "kept"], promised)


def trained_part(recipe: Mapping[str, Any], trained: Trained, folder: Path) -> list[str]:
    """What was trained, how long, and where it is."""
    generator, critic, training = recipe["generator"], recipe["discriminator"], recipe["training"]
    size = (folder / "relief.onnx").stat().st_size / 1e6
    stopped = f" It was stopped in time before the {trained.asked:,} it set out to do." * (
        trained.steps < trained.asked
    )
    return [
        paragraph(
            f"{trained.steps:,} steps of {training['batch_size']} crops of {recipe['data']['augmentation']['size']} "
            f"px in {trained.minutes:.1f} minutes, {training['precision']}, {training['threads']} thread(s). The "
            f"number of steps: {trained.why}.{stopped}"
        ),
        paragraph(
            f"pix2pix with L1 weight {recipe['method']['l1_weight']:g}. Generator: a U-Net of depth "
            f"{generator['depth']} with {generator['channels']} channels (the paper: 64) that doubles by "
            f"{generator['upsampling']} convolution (the paper: transposed); {size:.1f} MB as ONNX. Discriminator: a "
            f"PatchGAN with {critic['channels']} channels (the paper: 64). Shown and measured is the average of the "
            "generator's weights over the training, run by onnxruntime."
        ),
        paragraph(f"The run's own report: {folder.name}/run/report.html. The recipe:", soft=True),
        code((folder / "run" / "recipe.yaml").read_text(encoding="utf-8")),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
