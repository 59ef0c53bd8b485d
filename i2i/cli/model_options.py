"""What the commands that run a model have in common: where it runs, on how many threads, and how SIGTERM ends them."""

from __future__ import annotations

import argparse
from types import FrameType

from i2i.errors import Exit, I2IError
from i2i.runtime.providers import PROVIDERS


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--provider` and `--threads`."""
    parser.add_argument(
        "--provider",
        choices=PROVIDERS,
        default="auto",
        help="where the model runs; auto: what the installed onnxruntime is made for, CUDA, DirectML or OpenVINO, else "
        "the CPU, which alone is measured by us",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the model itself (default: all cores)")


def add_direction(parser: argparse.ArgumentParser) -> None:
    """`--direction`."""
    text = "which way, where MODEL is the run folder of a training both ways (default: %(default)s)"
    parser.add_argument("--direction", choices=["a2b", "b2a"], default="a2b", help=text)


def check_model_options(arguments: argparse.Namespace) -> None:
    """Raise `I2IError` (E_USAGE) for a number of threads that is none."""
    if arguments.threads is not None and arguments.threads < 1:
        raise I2IError("E_USAGE", f"{arguments.threads} threads; at least 1 is needed")


def leave(number: int, frame: FrameType | None) -> None:
    """What SIGTERM does to a short command: raised where it is, so that a temporary file is removed on the way out."""
    raise SystemExit(int(Exit.SIGTERM))
