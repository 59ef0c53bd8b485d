"""Translate an image, or every image of a folder into the same tree below OUTPUT.

MODEL is a run folder, a model folder, an .onnx file, or a name under pretrained/. INPUT is an image or a folder.
Pictures that cannot be translated are listed in OUTPUT/failures.jsonl and the rest is done. OUTPUT/manifest.jsonl
lists what is written, so that an interrupted conversion goes on with --resume: what was made by another model, with
another domain, --set or --tile, or on another provider, is made again.

`i2i info MODEL` tells the domains or attributes of a model. One with domains needs
  --domain NAME       which one to translate to
  --domain all        every one: OUTPUT/<domain>/... for each
and one with attributes the values of some, which the picture gets; it keeps the others:
  --set smile=1 --set glasses=0
Switching a member of an exclusive group (hair: black, fair, red) on switches the others off.

A picture of more than 2 megapixels is cut into overlapping tiles, which are blended, so that memory stays bounded.

A model of fonts (preset zi2zi) also writes text and mixes fonts; there is no INPUT then:
  i2i convert MODEL --text "永和九年" --domain "Ma Shan Zheng" strip.png     (--domain all: a line for each font)
  i2i convert MODEL --text "永" --domain "Ma Shan Zheng" --towards "Long Cang" way.png     (or way.gif, an animation)
  i2i convert MODEL --charset FILE --domain "Ma Shan Zheng" FOLDER     writes FOLDER/U+6C38.png and so on

exit codes: 0 all done, 1 at least one picture failed, 2 usage, 3 refused before work, 4 disk, memory or lock,
130 and 143 stopped by a signal
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2i.cli import convert_text
from i2i.cli.conditions import ALL, add_condition_options, attributes
from i2i.cli.model_options import add_direction, add_model_options, check_model_options, leave
from i2i.cli.progress import Progress
from i2i.errors import Exit, I2IError, printable
from i2i.training.signals import Stop

if TYPE_CHECKING:
    from i2i.runtime.convert import Options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("input", metavar="INPUT")
    parser.add_argument("output", metavar="OUTPUT", help="a folder; for one image also a file")
    add_condition_options(
        parser,
        domain=f"which domain to translate to, where the model has several; or `{ALL}`, each into a folder of its own",
        attribute="an attribute to change; may be given several times",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="keep outputs that are proved complete, do the rest")
    again.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    parser.add_argument(
        "--format",
        choices=["same", "png", "jpg", "webp"],
        default="same",
        help="type of the outputs; same: the input's, where it can be written, else PNG (default: %(default)s)",
    )
    parser.add_argument("--keep-extension", action="store_true", help="a.jpg becomes a.jpg.png, not a.png")
    parser.add_argument(
        "--tile",
        type=int,
        metavar="N",
        help="cut what is larger than N pixels on a side into tiles of N; 0: never (default: 1024, above 2 megapixels)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="threads that decode, and as many that encode")
    parser.add_argument("--shard", metavar="I/N", default="1/1", help="do only part I of N of the sorted list")
    add_direction(parser)
    convert_text.add_text_options(parser)
    add_model_options(parser)


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Convert as asked; returns the exit code."""
    if convert_text.asked_for(argv):
        return convert_text.run(parser, argv)
    arguments = parser.parse_args(argv)
    convert_text.refuse_options(arguments)
    source, output = Path(arguments.input), Path(arguments.output)
    if not source.exists():
        raise I2IError("E_UNREADABLE", "does not exist", path=source)
    return _folder(arguments, source, output) if source.is_dir() else _one(arguments, source, output)


def _folder(arguments: argparse.Namespace, source: Path, output: Path) -> int:
    from i2i.loading import open_model, resolve
    from i2i.runtime.convert import convert_folder

    options = _options(arguments)
    model = resolve(arguments.model, direction=arguments.direction)
    with Stop() as stop:
        translator = open_model(model, throughput=_many(source), **_session(arguments))
        with Progress() as progress:
            outcome = convert_folder(
                translator,
                source,
                output,
                model=model.digest(),
                options=options,
                report=progress.update,
                stopped=lambda: stop.exit_code is not None,
            )
        progress.summary(outcome, output, provider=translator.provider)
    return int(stop.exit_code if outcome.stopped and stop.exit_code else outcome.exit_code)


def _one(arguments: argparse.Namespace, source: Path, output: Path) -> int:
    from i2i.loading import open_model, resolve
    from i2i.runtime.convert import convert_one
    from i2i.runtime.stages import ItemError

    options = _options(arguments)
    signal.signal(signal.SIGTERM, leave)
    model = resolve(arguments.model, direction=arguments.direction)
    translator = open_model(model, **_session(arguments))
    into_folder = output.is_dir() or not output.suffix or arguments.output.endswith(("/", os.sep))
    try:
        written = convert_one(
            translator, source, output, into_folder=into_folder, model=model.digest(), options=options
        )
    except ItemError as error:
        print(f"error [{error.failure.code}] {printable(source)}: {error.failure.detail}", file=sys.stderr)
        return int(Exit.ITEMS_FAILED)
    for path in written:
        print(printable(path))
    print(f"on {translator.provider}", file=sys.stderr)
    return int(Exit.DONE)


def _session(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("provider", "threads", "tile")}


def _many(source: Path) -> bool:
    """Whether a folder holds so many pictures that each had better have a processor of its own."""
    from i2i.images.listing import list_images
    from i2i.runtime.providers import processors

    return len(list_images(source)) > 2 * processors()


def _options(arguments: argparse.Namespace) -> Options:
    from i2i.runtime.convert import Options
    from i2i.runtime.plan import Shard

    workers = min(4, os.cpu_count() or 1) if arguments.workers is None else arguments.workers
    check_model_options(arguments)
    return Options(
        domain=None if arguments.domain == ALL else arguments.domain,
        every_domain=arguments.domain == ALL,
        attributes=attributes(arguments.set),
        wanted=arguments.format,
        keep_extension=arguments.keep_extension,
        existing="resume" if arguments.resume else "overwrite" if arguments.overwrite else "refuse",
        workers=workers,
        shard=Shard.parse(arguments.shard),
    )
