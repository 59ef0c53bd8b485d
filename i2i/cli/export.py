"""Write a trained translator as one .onnx file that any program can run: uint8 picture in, uint8 picture out.

MODEL is a run folder, a model folder, or a name under pretrained/. The file is compared with torch on pictures of many
sizes before it is written: at most 1 level of 255 apart, in fewer than 0.1 % of the values, or nothing is written.

exit codes: 0 written, 2 usage or no such model, 3 refused (name taken, damaged model, ONNX and torch differ), 4 disk,
5 weights that are NaN or infinite
"""

from __future__ import annotations

import argparse
from pathlib import Path

from i2i.cli.model_options import add_direction
from i2i.errors import Exit, I2IError, missing_package, printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("output", metavar="OUT.onnx")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT.onnx when it exists")
    parser.add_argument("--no-rewrites", action="store_true", help="the graph as torch writes it, to compare with")
    add_direction(parser)


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Export as asked; returns the exit code."""
    arguments = parser.parse_args(argv)
    output = Path(arguments.output)
    if output.suffix.lower() != ".onnx":
        raise I2IError("E_USAGE", "the output's name must end in .onnx", path=output)
    from i2i.loading import resolve

    model = resolve(arguments.model, engine="torch", direction=arguments.direction)
    try:
        from i2i.export.onnx import export_onnx
        from i2i.weights.store import load_model
    except ModuleNotFoundError as error:
        raise missing_package(error.name or "torch", "export") from None
    generator, card = load_model(model.path)
    rewrites = not arguments.no_rewrites
    report = export_onnx(generator, card, output, overwrite=arguments.overwrite, rewrites=rewrites)
    print(f"parity with torch: {report}")
    print(f"wrote {printable(output)} ({output.stat().st_size / 1e6:.1f} MB)")
    return int(Exit.DONE)
