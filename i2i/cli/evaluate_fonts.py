"""The part of `i2i evaluate` about translators of fonts: held-out characters of each font beside the real glyphs."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from i2i.cli.evaluate_targets import asked, data_of, recipe_of
from i2i.errors import Exit, I2IError, printable
from i2i.tables import unknown

if TYPE_CHECKING:
    from i2i.data.fonts_source import FontsSource
    from i2i.data.glyphs import Glyph
    from i2i.evaluation.evaluate import Evaluation
    from i2i.evaluation.fonts import FontJudge
    from i2i.images.card import ImageCard, Pixels
    from i2i.metrics.suite import Suite
    from i2i.runtime.translator import Translator

ACCURACY = "accuracy"
TOGETHER = "all fonts"


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
    _suite(arguments, translator.card.target)  # a name that is wrong is told before the judge learns
    judge = _judge(arguments, translator.card, data)
    found = {font: _measured(arguments, translator, data, scan.samples, font, judge) for font in fonts}
    _publish(arguments, found)
    return int(Exit.DONE)


def _data(arguments: argparse.Namespace, card: ImageCard) -> FontsSource:
    """The fonts: as in the recipe of the run, else drawn as the card says."""
    from i2i.data.augment import Augmentation
    from i2i.data.fonts_source import FontsSource
    from i2i.images.card import Placing

    held: dict[str, Any] = {"characters": arguments.characters, "test_characters": arguments.test_characters}
    recipe = recipe_of(arguments)
    if recipe:
        made = data_of(recipe, root=arguments.data, source=arguments.source, **held)
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


def _judge(arguments: argparse.Namespace, card: ImageCard, data: FontsSource) -> FontJudge | None:
    """What reads of glyphs which font they are of, where `accuracy` is asked for."""
    from tqdm import tqdm

    from i2i.evaluation.fonts import font_judge
    from i2i.evaluation.judge import STEPS

    if not {ACCURACY, "all"} & set(asked(arguments)):
        return None
    assert card.condition is not None  # a model with a drawing has fonts
    names = [name for name in card.condition.names if name in data.names]
    if len(names) < 2:
        print("warning: there is one font, which cannot be mistaken: no accuracy is measured", file=sys.stderr)
        return None
    with tqdm(total=STEPS, desc="the judge of accuracy learns", unit="step", leave=False, disable=None) as bar:
        return font_judge(data, names, steps=STEPS, progress=bar.update)


def _measured(
    arguments: argparse.Namespace,
    translator: Translator,
    data: FontsSource,
    splits: dict[str, list[Glyph]],
    font: str,
    judge: FontJudge | None,
) -> dict[str, Evaluation]:
    """What the model makes of one font, and with --baselines the source glyph and the mean of the training glyphs."""
    from tqdm import tqdm

    from i2i.evaluation.fonts import evaluate_font, samples_of

    samples = samples_of(data, splits[arguments.split], font)
    if not samples:
        raise I2IError("E_BAD_DATA", f"{font} has none of the characters of '{arguments.split}'", path=data.root)
    return evaluate_font(
        translator,
        samples,
        font,
        suite=lambda: _suite(arguments, translator.card.target),
        learnt=samples_of(data, splits["train"], font) if arguments.baselines else None,
        judge=judge,
        worst=arguments.worst,
        watched=lambda some, subject: tqdm(some, desc=f"{font}, {subject}", unit="glyph", leave=False, disable=None),
    )


def _suite(arguments: argparse.Namespace, pixels: Pixels) -> Suite:
    """The metrics of single glyphs that are asked for; `accuracy` is the judge's."""
    from i2i.evaluation.fonts import METRICS
    from i2i.metrics.suite import Suite, all_names

    named = [name for name in asked(arguments) if name != ACCURACY]
    return Suite(all_names(pixels) if "all" in named else named or METRICS, pixels=pixels, weights=arguments.weights)


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
    """The head and the rows: fonts and their baselines down, and the means of several fonts; metrics across."""
    from i2i.evaluation.chart import number

    metrics = list(dict.fromkeys(name for each in found.values() for name in each["model"].metrics))
    values = {font: {name: one.metrics for name, one in each.items()} for font, each in found.items()}
    if len(found) > 1:
        values[TOGETHER] = _means(found)
    rows = [
        [
            font if name == "model" else f"{font}, {name}",
            *(number(one[metric]) if metric in one else "-" for metric in metrics),
        ]
        for font, each in values.items()
        for name, one in each.items()
    ]
    return ["font", *metrics], rows


def _result(found: dict[str, dict[str, Evaluation]]) -> dict[str, object]:
    """For JSON: the means over the fonts at the top, those of the baselines, then each font, its baselines beside it,
    and each glyph.
    """
    models = [each["model"] for each in found.values()]
    together = _means(found)
    model = together.pop("model")
    return {
        "n": sum(one.n for one in models),
        **model,
        **({"baselines": together} if together else {}),
        "domains": {font: {name: one.metrics for name, one in each.items()} for font, each in found.items()},
        "images": [{"name": image.name, **image.scores} for one in models for image in one.images],
    }


def _means(found: dict[str, dict[str, Evaluation]]) -> dict[str, dict[str, float]]:
    """The means over the fonts, of the model and of each baseline."""
    from i2i.evaluation.fonts import means

    subjects = next(iter(found.values()))
    return {subject: means([each[subject] for each in found.values()]) for subject in subjects}


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
