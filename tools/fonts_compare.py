"""One network for many fonts against one for each, and against L1 alone: zi2zi's own claim, on a folder of fonts.

usage: python tools/fonts_compare.py --data DIR --out RUNS [-c FILE.yaml] [--steps N] [--many RUN] [--fonts NAME ...]
       python tools/fonts_compare.py --data DIR --out RUNS --table

Trains by one recipe, one after the other; finished runs are left alone, interrupted ones go on:
  many           all fonts, all losses (or `--many RUN`, which is there already)
  l1             all fonts, the same network and steps, L1 alone: no critic, no constancy, no category loss
  single-FILE    pix2pix for one font: the same U-Net and critic with one style, adversarial loss and L1 alone (no
                 category and constancy loss), with the font's share of the steps of `many`: N / number of fonts; so a
                 font's glyphs are seen as often by either network. `--fonts` chooses some
Then, or with --table at once and without training, what is there is measured: L1, SSIM, overlap of ink and accuracy of
the style on the held-out characters, a table each with a column for each font, beside the source glyph, the mean of the
glyphs learnt and, of accuracy, the real glyphs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from command import METRICS, ended, markdown
from runs import ROOT, finish

from i2i.data.fonts_source import FontsSource
from i2i.data.glyphs import GRAY
from i2i.errors import I2IError
from i2i.evaluation.evaluate import Evaluation, Sample
from i2i.evaluation.fonts import ACCURACY, MODEL, FontJudge, evaluate_font, font_judge, samples_of
from i2i.evaluation.judge import STEPS
from i2i.files import publish_text
from i2i.loading import open_model, resolve
from i2i.metrics.suite import Suite
from i2i.recipes.build import Builder
from i2i.recipes.merging import merge, read
from i2i.recipes.presets import preset
from i2i.recipes.recipe import validate
from i2i.tables import unknown

Table = dict[str, dict[str, dict[str, float]]]  # subject, font, metric

PRESET = "zi2zi"
L1_ALONE = ["adversarial_weight", "category_weight", "constancy_weight"]
PIX2PIX = ["category_weight", "constancy_weight"]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of fonts")
    parser.add_argument("--source", metavar="FILE", help="the source font (default: the recipe's)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUNS", help="a run folder for each network")
    parser.add_argument("-c", "--config", type=Path, default=ROOT / "pretrained/brush/recipe.yaml", metavar="FILE.yaml")
    parser.add_argument("--steps", type=int, metavar="N", help="of `many` and `l1` (default: the recipe's)")
    parser.add_argument("--many", type=Path, metavar="RUN", help="a finished run in place of RUNS/many")
    parser.add_argument("--fonts", nargs="+", metavar="NAME", help="with a network of their own (default: all)")
    parser.add_argument("--table", action="store_true", help="train nothing, measure what is there")
    parser.add_argument("--judge-steps", type=int, default=STEPS, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values, replacing an older file")
    options = parser.parse_args(argv)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    values = recipe(options)
    data = Builder(validate(values)).data()
    if not isinstance(data, FontsSource):
        raise I2IError("E_RECIPE", "the recipe is not about fonts", path=options.config)
    fonts = options.fonts or data.names
    for name in fonts:
        if name not in data.names:
            raise I2IError("E_CONDITION", unknown("font", name, data.names))
    if not options.table:
        train(options, data, fonts, int(options.steps or values["training"]["steps"]))
    rows = measured(options, data)
    for metric in (*METRICS, ACCURACY):
        print(f"\n{metric}\n\n{markdown(with_mean(rows, metric), [*data.names, 'mean'])}")
    if options.json:
        publish_text(options.json, json.dumps(rows, indent=2, ensure_ascii=False) + "\n", overwrite=True)


def with_mean(rows: Table, metric: str) -> dict[str, dict[str, float]]:
    """One metric of each subject by font, and the mean where there is one for every font."""
    shown = {}
    for subject, row in rows.items():
        values = {font: found[metric] for font, found in row.items() if metric in found}
        whole = len(values) == max(map(len, rows.values()))
        if values:
            shown[subject] = values | ({"mean": fmean(values.values())} if whole else {})
    return shown


def recipe(options: argparse.Namespace) -> dict[str, Any]:
    """The recipe with the data that are named here."""
    given = {"root": str(options.data.absolute()), **({"source": options.source} if options.source else {})}
    return merge(merge(preset(PRESET), read(options.config)), {"data": given})


def train(options: argparse.Namespace, data: FontsSource, fonts: Sequence[str], steps: int) -> None:
    """Bring every run to its end."""
    fixed = ["--data", str(options.data.absolute()), "-c", str(options.config.absolute()), "--training.threads", "1"]
    fixed += ["--data.source", options.source] if options.source else []
    if options.many is None:
        finish(options.out / "many", PRESET, *fixed, "--name", "many", "--steps", str(steps))
    finish(options.out / "l1", PRESET, *fixed, "--name", "l1", "--steps", str(steps), *off(L1_ALONE))
    for font in fonts:
        own = single(options, data, font)
        words = ["--name", own.name, "--data.targets", json.dumps([file_of(data, font)], ensure_ascii=False)]
        finish(own, PRESET, *fixed, *words, *off(PIX2PIX), "--steps", str(steps // len(data.names)))


def file_of(data: FontsSource, font: str) -> str:
    """The file of a font, as a recipe names it."""
    face = data.typefaces[data.names.index(font)]
    return f"{face.path.absolute()}{f'#{face.index}' if face.index else ''}"


def off(weights: Sequence[str]) -> list[str]:
    """Options that leave losses out."""
    return [word for weight in weights for word in (f"--method.{weight}", "0")]


def single(options: argparse.Namespace, data: FontsSource, font: str) -> Path:
    """The run of a font's own network."""
    run: Path = options.out / f"single-{data.typefaces[data.names.index(font)].path.stem}"
    return run


def measured(options: argparse.Namespace, data: FontsSource) -> Table:
    """The metrics of the runs that are finished, and of the baselines."""
    judge = font_judge(data, data.names, steps=options.judge_steps)
    glyphs = data.glyphs()
    rows: Table = {name: {} for name in ("source", "mean", "l1", "single", "many", "real")}
    for font in data.names:
        held, learnt = (samples_of(data, glyphs[split], font) for split in ("test", "train"))
        for number, (name, run) in enumerate(finished(options, data, font).items()):
            found = of(run, font, held, judge, learnt=None if number else learnt)
            rows[name][font] = found.pop(MODEL).metrics
            for baseline, one in found.items():
                rows[baseline][font] = one.metrics
        rows["real"][font] = {ACCURACY: judge.accuracy([sample.target for sample in held], font)}
    return {name: row for name, row in rows.items() if row}


def finished(options: argparse.Namespace, data: FontsSource, font: str) -> dict[str, Path]:
    """The runs that write a font and are finished, and the one that is named."""
    runs = {"many": options.out / "many", "l1": options.out / "l1", "single": single(options, data, font)}
    there = {name: run for name, run in runs.items() if (run / "report.html").exists()}
    return there | ({"many": options.many} if options.many else {})


def of(
    run: Path, font: str, held: Sequence[Sample], judge: FontJudge, *, learnt: Sequence[Sample] | None
) -> dict[str, Evaluation]:
    """The metrics of a run's model on one font, and with the glyphs learnt those of the baselines."""
    model = open_model(resolve(run))
    return evaluate_font(model, held, font, suite=lambda: Suite(METRICS, pixels=GRAY), learnt=learnt, judge=judge)


if __name__ == "__main__":
    sys.exit(main())
