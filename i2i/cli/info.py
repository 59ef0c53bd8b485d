"""Describe a model, a training run or a folder of images.

MODEL: what its card says. RUN: how far the training is and what can be resumed. DIR: what can be learnt from it, with
everything that is wrong with it: attributes, pairs, two sides without pairs, domains, pictures of one kind or fonts,
the first that fits (several sets: --data.type joint).

exit codes: 0 described, 2 no such thing, 3 the folder of images cannot be trained on as it is
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from i2i.cli.run_state import describe_run, is_run
from i2i.data import DATASETS
from i2i.errors import Exit, I2IError, missing_package, printable

if TYPE_CHECKING:
    from i2i.data.scan import Scan
    from i2i.images.card import Condition, Pixels, Sizing
    from i2i.loading import ModelPath

WORDS = {"PairedBatch": "pairs", "StyledBatch": "glyphs"}  # what samples are, where they are not pictures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("thing", metavar="MODEL|RUN|DIR")
    parser.add_argument("--data.type", dest="kind", metavar="T", help=f"DIR: {', '.join(DATASETS)}")
    parser.add_argument(
        "--data.source", dest="source", metavar="X", help="DIR: name of the folder with the sources, or the source font"
    )
    parser.add_argument("--data.target", dest="target", metavar="Y", help="DIR: name of the folder with the answers")


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Describe what was named; returns the exit code."""
    arguments = parser.parse_args(argv)
    from i2i.loading import resolve

    path = Path(arguments.thing)
    if is_run(path):
        print(describe_run(path))
        return int(Exit.DONE)
    try:
        model = resolve(arguments.thing)
    except I2IError:
        if not path.is_dir():
            raise
        sides = {"source": arguments.source, "target": arguments.target}
        return _dataset(path, arguments.kind, {side: name for side, name in sides.items() if name is not None})
    print(describe_model(model))
    return int(Exit.DONE)


def describe_model(model: ModelPath) -> str:
    """The card in words, one fact a line."""
    card = model.card()
    size = model.file.stat().st_size / 1e6
    facts = {
        "model": card.name,
        "file": f"{printable(model.file)} ({size:.1f} MB)",
        "takes": _pixels(card.source) if card.latent is None else f"noise, {card.latent} numbers",
        "gives": _pixels(card.target) + (f", {card.scale} times as large" if card.scale > 1 else ""),
        "sizes": _sizing(card.sizing),
        "source font": f"{card.drawing.font} ({card.drawing.file})" if card.drawing else "",
        "condition": _condition(card.condition),
        "network": ", ".join([card.network.type, *(f"{k} {v}" for k, v in card.network.arguments.items())]),
        "precision": "" if card.precision is None else str(card.precision),
        "method": f"{card.method}, {card.step} steps",
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items()),
        "training data": card.training_data,
        "licence": card.licence,
        "recipe digest": card.recipe_digest,
        "made by": f"i2i {card.version}" if card.version else "",
    }
    return "\n".join(f"{name + ':':15}{value}" for name, value in facts.items() if value)


def _pixels(pixels: Pixels) -> str:
    names = {"gray": "grey pictures", "rgb": "RGB pictures", "rgba": "RGB pictures with alpha"}
    return names.get(pixels.colour) or f"label maps of {len(pixels.palette)} colours"


def _sizing(sizing: Sizing) -> str:
    if sizing.rule == "fixed":
        return f"{sizing.width}x{sizing.height} only"
    if sizing.rule == "resize":
        return f"any, resized to {sizing.width}x{sizing.height} and back"
    return f"any, padded to a multiple of {sizing.multiple}, at least {sizing.minimum}"


def _condition(condition: Condition | None) -> str:
    if condition is None:
        return ""
    ranges = [f" ({low:g} to {high:g})" if (low, high) != (0, 1) else "" for low, high in condition.ranges]
    names = [name + span for name, span in zip(condition.names, ranges or [""] * len(condition.names), strict=True)]
    groups = [f"; one of {', '.join(group)}" for group in condition.exclusive_groups]
    kind = f"{condition.kind}, which can be mixed" if condition.mixed else condition.kind
    return f"{kind}: {', '.join(names)}{''.join(groups)}"


def _dataset(root: Path, kind: str | None, sides: dict[str, str]) -> int:
    kind, found = _found(root, [kind] if kind else tuple(DATASETS), sides)
    for split, samples in found.samples.items():
        word = WORDS.get(DATASETS[kind].batch_type.__name__, "pictures")
        print(f"{split}: {len(samples)} {word}" + (f", first {printable(samples[0].name)}" if samples else ""))
    for warning in found.warnings:
        print(f"warning: {warning}")
    for problem in found.problems:
        print(f"{problem.code} {printable(problem.path)}: {problem.message}")
    if found.problems:
        print(f"{len(found.problems)} files cannot be used")
        return int(Exit.REFUSED)
    print("nothing is wrong with it")
    return int(Exit.DONE)


def _found(root: Path, kinds: Sequence[str], sides: dict[str, str]) -> tuple[str, Scan]:
    """The first kind of data that a folder holds, and the look at its files; named sides leave out kinds without any,
    and are told to those that have them. Raises what the reader of pairs said when none fits, and else the only one
    asked.
    """
    refusals: dict[str, I2IError] = {}
    for kind in kinds:
        try:
            options = inspect.signature(DATASETS[kind]).parameters
            told = {side: name for side, name in sides.items() if side in options}
            if sides and not told and len(kinds) > 1:
                continue
            if len(kinds) == 1 and told != sides:
                more = " and ".join(f"--data.{side}" for side in sides if side not in told)
                raise I2IError("E_USAGE", f"data of type '{kind}' has no {more}; leave it out")
            data = DATASETS[kind](root=root, **told)
            found, condition = data.scan(), data.condition
        except ModuleNotFoundError as error:
            raise missing_package(error.name or "torch", "train") from None
        except I2IError as error:
            if error.code not in ("E_LAYOUT", "E_NO_IMAGES"):
                raise
            refusals[kind] = error
        else:
            if kind == "paired" and kind != kinds[-1] and not any(found.samples.values()):
                continue  # two sides without a single pair
            print(f"read as --data.type {kind}" + (f", {_condition(condition)}" if condition else ""))
            return kind, found
    raise refusals.get("paired") or next(iter(refusals.values()))
