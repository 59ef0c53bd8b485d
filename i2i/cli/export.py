"""Write a trained translator as one .onnx file that any program can run: uint8 picture in, uint8 picture out.

MODEL is a run folder, a model folder, or a name under pretrained/. The file is compared with torch on pictures of many
sizes before it is written: at most 1 level of 255 apart, in fewer than 0.1 % of the values, or nothing is written.

--half-weights rounds the weights to 16 bits and stores them so: half the size, as exact otherwise. --fp16 computes in
16 bits: half the size, and for GPUs; on CPUs, and in a browser that computes on one, it is smaller but not faster.
--int8 computes in 8-bit integers, for CPUs: a quarter of the size, and faster where the processor has arithmetic for
them (VNNI), or where the times that are printed say so. It looks at pictures to see which numbers occur: of
--calibrate DIR, else those that the run was trained on. Layers that cost too much quality stay as they were.

For these three the promise is a PSNR of 40 dB to the model in 32 bits, or, of label maps, that less than 1 % of the
pixels have another label: on test inputs, or, for --int8, on pictures that were not looked at. Every fourth picture is
kept for that; of fewer than four, which have to be large, a quarter of each. The file's card holds the figure.

exit codes: 0 written, 2 usage or no such model, 3 refused (name taken, damaged model, ONNX and torch differ, int8 not
good enough), 4 disk, 5 weights that are NaN or infinite
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from i2i.cli.model_options import add_direction
from i2i.errors import Exit, I2IError, missing_package, printable

if TYPE_CHECKING:
    from i2i.export.int8.quantise import Calibration
    from i2i.images.card import ImageCard
    from i2i.loading import ModelPath


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("output", metavar="OUT.onnx")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT.onnx when it exists")
    parser.add_argument("--no-rewrites", action="store_true", help="the graph as torch writes it, to compare with")
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument("--half-weights", action="store_true", help="store weights in 16 bits, compute in 32")
    precision.add_argument("--fp16", action="store_true", help="compute in 16 bits")
    precision.add_argument("--int8", action="store_true", help="compute in 8-bit integers")
    parser.add_argument("--calibrate", type=Path, metavar="DIR", help="pictures for --int8 (a run: its own)")
    text = "any: weights of 7 bits, right on every CPU; vnni: of 8, for CPUs with VNNI (default: any)"
    parser.add_argument("--int8-target", choices=["any", "vnni"], help=text)
    parser.add_argument("--int8-psnr", type=float, metavar="DB", help="how near to fp32 it must be (default: 40)")
    add_direction(parser)


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Export as asked; returns the exit code."""
    arguments = parser.parse_args(argv)
    output = Path(arguments.output)
    _check(arguments, output)
    from i2i.loading import resolve

    model = resolve(arguments.model, engine="torch", direction=arguments.direction)
    try:
        from i2i.export.onnx import export_onnx
        from i2i.runtime.onnx import read_onnx_card
        from i2i.weights.store import load_model
    except ModuleNotFoundError as error:
        raise missing_package(error.name or "torch", "export") from None
    generator, card = load_model(model.path)
    report = export_onnx(
        generator,
        card,
        output,
        overwrite=arguments.overwrite,
        rewrites=not arguments.no_rewrites,
        half_weights=arguments.half_weights,
        half=arguments.fp16,
        calibration=_calibration(arguments, model, card) if arguments.int8 else None,
    )
    print(f"parity with torch: {report}")
    precision = read_onnx_card(output).precision
    if precision is not None:
        print(f"precision: {precision}")
    print(f"wrote {printable(output)} ({output.stat().st_size / 1e6:.1f} MB)")
    return int(Exit.DONE)


def _check(arguments: argparse.Namespace, output: Path) -> None:
    """Raise `I2IError` (E_USAGE) for options that do not go together."""
    if output.suffix.lower() != ".onnx":
        raise I2IError("E_USAGE", "the output's name must end in .onnx", path=output)
    if arguments.no_rewrites and (arguments.half_weights or arguments.fp16 or arguments.int8):
        raise I2IError("E_USAGE", "--half-weights, --fp16 and --int8 need the rewrites; leave out --no-rewrites")
    alone = {"--calibrate": "calibrate", "--int8-target": "int8_target", "--int8-psnr": "int8_psnr"}
    given = [option for option, name in alone.items() if getattr(arguments, name) is not None]
    if given and not arguments.int8:
        raise I2IError("E_USAGE", f"{given[0]} belongs to --int8; add --int8")
    psnr = arguments.int8_psnr
    if psnr is not None and not (math.isfinite(psnr) and psnr > 0):
        raise I2IError("E_USAGE", f"--int8-psnr is a number of dB above 0, got {psnr:g}")


def _calibration(arguments: argparse.Namespace, model: ModelPath, card: ImageCard) -> Calibration:
    """How to quantise, with the pictures that were named, or the run's own; latents of a generator from noise."""
    from i2i.export.int8.feeds import MOST, of_folder, of_noise, of_pictures
    from i2i.export.int8.quantise import Calibration
    from i2i.recipes.pictures import training_pictures

    if card.target.colour == "labels" and arguments.int8_psnr is not None:
        message = "the colours of a label map are names, of which a PSNR says nothing; leave out --int8-psnr"
        raise I2IError("E_USAGE", message)
    if card.latent is not None:
        if arguments.calibrate:
            raise I2IError("E_USAGE", "this model makes pictures from noise; leave out --calibrate")
        feeds = of_noise(card)
    elif arguments.calibrate:
        feeds = of_folder(card, arguments.calibrate)
    elif model.run is None:
        message = "--int8 needs pictures such as the model will get; add --calibrate DIR, or give the run folder"
        raise I2IError("E_USAGE", message)
    else:
        try:
            pictures = training_pictures(model.run, count=MOST, direction=arguments.direction)
        except I2IError as error:
            message = f"the run's training pictures cannot be read: {error}; name others with --calibrate DIR"
            raise I2IError(error.code, message) from None
        feeds = of_pictures(card, pictures)
    psnr = 40.0 if arguments.int8_psnr is None else arguments.int8_psnr
    return Calibration(feeds, target=arguments.int8_target or "any", psnr=psnr, on_speed=_say_speed)


def _say_speed(fp32: float, int8: float) -> None:
    """Both times, and a warning where int8 is no gain here."""
    print(f"speed here: int8 {int8:.0f} ms, fp32 {fp32:.0f} ms for a picture")
    if int8 >= fp32:
        message = "int8 is not faster than fp32 on this processor; it is smaller, and may be faster on one with VNNI"
        print(f"warning: {message}", file=sys.stderr)
