"""Train a translator: a preset is a published recipe, a folder of pictures its data, a run folder its result.

    i2i train pix2pix --data facades --out runs/facades
    i2i train pix2pix --out runs/facades --resume

Every entry of the recipe is an option, as in --training.batch_size 8 or --objective least_squares; -c FILE.yaml
changes several at once. RUN/recipe.yaml is the whole recipe that was used, and a file for -c as well.
"""

from __future__ import annotations

import argparse
import signal
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from i2i.errors import Exit, I2IError

EXAMPLES = """recipe entries that are often set:
  --training.batch_size N      pictures per step (preset: 1)
  --training.precision NAME    auto | fp32 | bf16 | fp16
  --training.keep_best psnr    model/ is the best state by a metric, not the newest
  --generator.type NAME        another network; a wrong name lists all (so for every kind of part)
  --generator.channels N       width of the network; memory and time grow with its square
  --generator.upsampling resize    instead of transposed convolutions: no checkerboards
  --data.augmentation.size N   pixels of a training sample
  --data.augmentation.mode M   jitter | crop (large pictures) | resize (whole objects)
  --data.augmentation.flips [] none of them, where light or writing has a direction
  --data.type NAME             how the folder is read: paired, unpaired, domains, attributes ...
  --data.source A --data.target B   the folders' names
  --objective NAME             the game: least_squares, hinge, wasserstein ...
  --stabilisers diffaugment    for small data sets; several: "[spectral_norm, {type: r1, gamma: 1}]"
  --optimiser.rates.discriminator 4e-4   another learning rate for one player
Stop with Ctrl-C at any time: the state is saved, --resume goes on bit for bit.
Several processes: torchrun --nproc-per-node 2 -m i2i train ...
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    presets = _presets()
    parser.epilog = (
        "presets:\n" + "\n".join(f"  {name:17} {text}" for name, text in presets.items()) + f"\n\n{EXAMPLES}"
    )
    parser.add_argument("preset", metavar="PRESET", help=f"one of: {', '.join(presets)}")
    parser.add_argument("--data", metavar="DIR", type=Path, help="the folder of pictures (data.root)")
    parser.add_argument("--out", metavar="RUN", type=Path, required=True, help="the run folder to make or to resume")
    parser.add_argument("--steps", metavar="N", type=int, help="how many steps to train (training.steps)")
    parser.add_argument("-c", "--config", metavar="FILE.yaml", type=Path, action="append", default=[])
    told = "start from a trained model's weights (fine-tuning); from a run's also with its critic's"
    parser.add_argument("--init", metavar="MODEL", help=told)
    parser.add_argument("--resume", action="store_true", help="go on with the run in RUN")
    parser.add_argument("--print-recipe", action="store_true", help="print the resolved recipe and stop")


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    args, rest = parser.parse_known_args(argv)
    values = _values(args, rest)
    try:
        from i2i.recipes.recipe import validate
        from i2i.recipes.run import train
    except ImportError as error:
        raise I2IError("E_MISSING_PACKAGE", f'{error.name} is missing; run: pip install "i2i[train]"') from None
    recipe = validate(values)
    if args.print_recipe:
        from i2i.recipes.merging import dump

        print(dump(recipe.model_dump(mode="json")), end="")
        return 0
    if args.resume and args.init:
        parser.error("--init is for new runs; a resumed one goes on from its own weights")
    with _ending_on_sigterm():
        return int(train(recipe, args.out, resume=args.resume, init=args.init, say=_say))


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """SIGTERM before and after the steps ends the program as SIGINT does: nothing is half done then."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(int(Exit.SIGTERM))

    before = signal.signal(signal.SIGTERM, stop) if threading.current_thread() is threading.main_thread() else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _values(args: argparse.Namespace, rest: list[str]) -> dict[str, Any]:
    from i2i.recipes.merging import merge, overrides, read
    from i2i.recipes.presets import preset

    values = preset(args.preset)
    if args.resume and (args.out / "recipe.yaml").exists():
        values = _as_begun(args)
    for path in args.config:
        values = merge(values, read(path))
    command = overrides(rest)
    if args.data is not None:
        command = merge(command, {"data": {"root": str(args.data)}})
    if args.steps is not None:
        command = merge(command, {"training": {"steps": args.steps}})
    values = merge(values, command)
    if "root" not in values.get("data", {}):
        raise I2IError("E_USAGE", "the folder of pictures is missing: --data DIR")
    return values


def _as_begun(args: argparse.Namespace) -> dict[str, Any]:
    """The recipe that the run began with, so that --resume needs nothing said again."""
    from i2i.recipes.merging import read

    values = read(args.out / "recipe.yaml")
    if values.get("preset") != args.preset:
        message = f"this run began with the preset '{values.get('preset')}', not '{args.preset}'"
        raise I2IError("E_CKPT_MISMATCH", message, path=args.out)
    return values


def _presets() -> dict[str, str]:
    """Every preset, and the beginning of what its file says of itself."""
    from i2i.recipes.presets import names, summary

    return {name: textwrap.shorten(summary(name), 100, placeholder=" ...") for name in names()}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
