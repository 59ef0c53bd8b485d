"""The part of `i2i evaluate` about translators of fonts: held-out characters of each font beside the real glyphs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from statistics import fmean
from typing import TYPE_CHECKING, Any

from i2i.cli.evaluate_targets import recipe_of
from i2i.errors import Exit, I2IError, printable
from i2i.tables import unknown

if TYPE_CHECKING:
    from i2i.data.fonts_source import FontsSource
    from i2i.data.glyphs import Glyph, StyledFolder
    from i2i.evaluation.evaluate import Evaluation, Picture, Sample
    from i2i.images.card import ImageCard
    from i2i.runtime.translator import Translator

METRICS = ("l1", "psnr", "ssim", "ink_iou")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What says which characters are held out."""
    parser.add_argument("--characters", metavar="SET", help="fonts: the characters, as data.characters in a recipe")
    parser.add_argument("--test-characters", type=int, metavar="N", help="fonts: how many of them are held out")


def refuse_options(arguments: argparse.Namespace) -> None:
    """Raise `I2IError` (E_USAGE) for options of fonts, where the model writes none."""
    if arguments.characters is not None or arguments.test_characters is not None:
        raise I2IError("E_USAGE", "--characters and --test-characters are about fonts; leave them out")


def is_meant(arguments: argparse.Namespace) -> bool:
    """Whether the model writes fonts."""
    from i2i.loading import resolve

    return (
        arguments.model is not None
        and resolve(arguments.model, direction=arguments.direction).card().drawing is not None
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate as asked; returns the exit code."""
    from i2i.data.problems import raise_problems
    from i2i.loading import open_model, resolve

    for name in ("target", "neighbours"):
        if getattr(arguments, name):
            option = "data.target" if name == "target" else name
            raise I2IError("E_USAGE", f"--{option} is about other models; leave it out")
    translator = open_model(resolve(arguments.model))
    data = _data(arguments, translator.card)
    scan = data.scan()
    for warning in scan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    fonts = _fonts(arguments, translator.card, data)
    measured = {face.path for name, face in zip(data.names, data.typefaces, strict=True) if name in fonts}
    raise_problems([problem for problem in scan.problems if problem.path in measured])
    if arguments.split not in scan.samples:
        message = f"no characters are held out for '{arguments.split}', only: {', '.join(scan.samples)}"
        raise I2IError("E_LAYOUT", message, path=data.root)
    found = {font: _measured(arguments, translator, data, scan.samples, font) for font in fonts}
    _publish(arguments, found)
    return int(Exit.DONE)


def _data(arguments: argparse.Namespace, card: ImageCard) -> FontsSource:
    """The fonts: as in the recipe of the run, else drawn as the card says."""
    from i2i.data.augment import Augmentation
    from i2i.data.fonts_source import FontsSource
    from i2i.images.card import Placing
    from i2i.recipes.build import Builder
    from i2i.recipes.merging import merge
    from i2i.recipes.recipe import validate

    held: dict[str, Any] = {"characters": arguments.characters, "test_characters": arguments.test_characters}
    given = {"root": arguments.data and str(arguments.data), "source": arguments.source, **held}
    recipe = recipe_of(arguments)
    if recipe:
        values = merge(recipe, {"data": {name: value for name, value in given.items() if value is not None}})
        made = Builder(validate(values)).data()
        assert isinstance(made, FontsSource)  # the card has a drawing
        return made
    if arguments.data is None:
        raise I2IError("E_USAGE", "--data DIR, a folder of fonts, is needed: this model is not a run folder")
    if None in held.values():
        message = "which characters are held out? --characters and --test-characters, as it was trained with"
        raise I2IError("E_USAGE", message)
    assert card.drawing is not None  # as above
    return FontsSource(
        root=arguments.data,
        source=arguments.source or card.drawing.file,
        placing=Placing(**card.drawing.model_dump(include=set(Placing.model_fields))),
        augmentation=Augmentation(size=card.sizing.width or 64, mode="resize", flips=()),
        **held,
    )


def _fonts(arguments: argparse.Namespace, card: ImageCard, data: FontsSource) -> list[str]:
    """The fonts that the model writes and the data have; the one that is named."""
    assert card.condition is not None  # a model with a drawing has fonts
    both = [name for name in card.condition.names if name in data.names]
    if arguments.domain is not None and arguments.domain not in both:
        raise I2IError("E_CONDITION", unknown("domain", arguments.domain, both))
    if not both:
        message = f"the model writes {', '.join(card.condition.names)}; the data have {', '.join(data.names)}"
        raise I2IError("E_CONDITION", message)
    return both if arguments.domain is None else [arguments.domain]


def _measured(
    arguments: argparse.Namespace, translator: Translator, data: FontsSource, splits: dict[str, list[Glyph]], font: str
) -> dict[str, Evaluation]:
    """What the model makes of one font, and with --baselines the source glyph and the mean of the training glyphs."""
    import numpy as np
    from tqdm import tqdm

    from i2i.cli.evaluate import suite
    from i2i.evaluation.evaluate import evaluate
    from i2i.runtime.conditions import changed

    samples = _samples(data, splits[arguments.split], font)
    if not samples:
        raise I2IError("E_BAD_DATA", f"{font} has none of the characters of '{arguments.split}'", path=data.root)
    wanted = changed(translator.card, 1, domain=font)
    subjects: dict[str, Callable[[Picture], Picture]] = {
        "model": lambda pixels: translator.apply(pixels, **wanted._asdict())
    }
    if arguments.baselines:
        mean = np.mean([sample.target for sample in _samples(data, splits["train"], font)], axis=0)
        plain = np.asarray(np.round(mean), np.uint8)
        subjects |= {"source": lambda pixels: pixels, "mean": lambda pixels: plain}
    found = {}
    for name, translate in subjects.items():
        shown = tqdm(samples, desc=f"{font}, {name}", unit="glyph", leave=False, disable=None)
        chosen = suite(arguments, translator.card.target, default=METRICS)
        found[name] = evaluate(translate, shown, suite=chosen, worst=arguments.worst if name == "model" else 0)
    return found


def _samples(data: FontsSource, glyphs: list[Glyph], font: str) -> list[Sample]:
    """The glyphs of one font beside those of the source, by their code points."""
    from i2i.evaluation.evaluate import Sample

    own = [glyph for glyph in glyphs if glyph.font == font]
    if not own:
        return []
    folder: StyledFolder = data.folder(own, value_range=(-1.0, 1.0), seed=0)
    return [Sample(glyph.name, *folder.glyphs.whole(at)) for at, glyph in enumerate(own)]


def _publish(arguments: argparse.Namespace, found: dict[str, dict[str, Evaluation]]) -> None:
    """Print the table and write the files asked for."""
    from i2i import files

    models = [each["model"] for each in found.values()]
    head, rows = _table(found)
    print(f"{sum(one.n for one in models)} glyphs of {arguments.split}, fonts: {len(models)}")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for first, *rest in (head, *rows):
        print("  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]))
    if arguments.json is not None:
        text = json.dumps(_result(found), indent=2, allow_nan=False, ensure_ascii=False)
        files.publish_text(arguments.json, text + "\n", overwrite=True)
    if arguments.report is not None:
        files.publish_text(arguments.report, _page(arguments, found), overwrite=True)
        print(f"page: {printable(arguments.report)}")


def _table(found: dict[str, dict[str, Evaluation]]) -> tuple[list[str], list[list[str]]]:
    """The head and the rows: fonts and their baselines down, metrics across."""
    from i2i.evaluation.chart import number

    metrics = list(dict.fromkeys(name for each in found.values() for name in each["model"].metrics))
    rows = [
        [
            font if name == "model" else f"{font}, {name}",
            *(number(one.metrics[metric]) if metric in one.metrics else "-" for metric in metrics),
        ]
        for font, each in found.items()
        for name, one in each.items()
    ]
    return ["font", *metrics], rows


def _result(found: dict[str, dict[str, Evaluation]]) -> dict[str, object]:
    """For JSON: the means over the fonts at the top, then each font, its baselines beside it, and each glyph."""
    models = [each["model"] for each in found.values()]
    names = [name for name in models[0].metrics if all(name in one.metrics for one in models)]
    return {
        "n": sum(one.n for one in models),
        **{name: fmean(one.metrics[name] for one in models) for name in names},
        "domains": {font: {name: one.metrics for name, one in each.items()} for font, each in found.items()},
        "images": [{"name": image.name, **image.scores} for one in models for image in one.images],
    }


def _page(arguments: argparse.Namespace, found: dict[str, dict[str, Evaluation]]) -> str:
    """The table, and of each font the worst glyphs."""
    from i2i.evaluation.grids import grid
    from i2i.evaluation.page import page, picture, section, table

    parts = [section("Metrics", table(*_table(found)))]
    for font, each in found.items():
        worst = each["model"].worst
        if worst:
            pixels = grid([[one.source, one.output, one.target] for one in worst], ("source", "output", "target"))
            shown = ", ".join(one.name.rpartition("/")[2] for one in worst)
            parts.append(section(f"{font}: the worst", picture(pixels, alt=f"{font}: {shown}", caption=shown)))
    return page(f"{printable(arguments.model)} on {arguments.split}", *parts)
