"""A model of fonts and the fonts that it is measured on, as the options of a script name them."""

from __future__ import annotations

import argparse
from pathlib import Path

from i2i import loading
from i2i.data.augment import Augmentation
from i2i.data.fonts_source import FontsSource
from i2i.data.writing import Writer, drawing_of
from i2i.images.card import Placing


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Where the fonts are, which one is the source, and which characters are held out."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--source", required=True, metavar="FILE")
    parser.add_argument("--targets", nargs="*", default=[], metavar="FILE", help="as in the recipe (default: all)")
    parser.add_argument("--characters", default="gb2312-1", help="(default: %(default)s)")
    parser.add_argument("--test-characters", type=int, default=300, help="(default: %(default)s)")


def opened(options: argparse.Namespace) -> tuple[Writer, FontsSource]:
    """The model, and the fonts drawn as its source was."""
    translator = loading.open_model(loading.resolve(options.model), threads=1)
    drawing, side = drawing_of(translator), translator.card.sizing.width
    data = FontsSource(
        root=options.data,
        source=options.source,
        targets=options.targets,
        characters=options.characters,
        test_characters=options.test_characters,
        placing=Placing(**drawing.model_dump(include=set(Placing.model_fields))),
        augmentation=Augmentation(size=side or 64, mode="resize", flips=()),
    )
    face = data.source_typeface
    return Writer(translator, f"{face.path}#{face.index}" if face.index else face.path), data
