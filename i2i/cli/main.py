"""Entry point: finds the verb, runs it, and turns expected failures into one line and an exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from typing import NoReturn

import i2i
from i2i.errors import Exit, I2IError, printable

VERBS = {
    "train": "train a translator on a folder of images",
    "convert": "translate an image or a folder of images",
    "sample": "make pictures from noise",
    "evaluate": "measure a model on a folder with known answers",
    "export": "write one .onnx file that any program can run",
    "embed": "write a folder that runs a model by itself: web page, Python, Node, C++, C#",
    "info": "describe a model, a run or a folder of images",
}


class Parser(argparse.ArgumentParser):
    """Usage errors end with exit code 2 and name the command that helps."""

    def error(self, message: str) -> NoReturn:
        """Print the message and the way to the help, and exit with 2."""
        self.exit(Exit.USAGE, f"{self.prog}: {message}\nsee: {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except I2IError as error:
        print(f"error [{error.code}] {error}", file=sys.stderr)
        return int(error.exit_code)
    except OSError as error:
        code = "E_NOSPACE" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "E_IO"
        where = f"{printable(str(error.filename))}: " if error.filename else ""
        print(f"error [{code}] {where}{error.strerror or error}", file=sys.stderr)
        return int(Exit.ENVIRONMENT)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return int(Exit.SIGINT)


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in VERBS:
        verb = importlib.import_module(f"i2i.cli.{arguments[0]}")
        parser = Parser(
            prog=f"i2i {arguments[0]}",
            description=verb.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        verb.add_arguments(parser)
        return int(verb.run(parser, arguments[1:]))
    parser = Parser(prog="i2i", description=i2i.__doc__, epilog=_verbs(), formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--version", action="version", version=f"i2i {i2i.__version__}")
    parser.add_argument("verb", choices=list(VERBS), metavar="VERB", help="what to do; `i2i VERB --help` tells more")
    parser.parse_args(arguments[:1])
    parser.error("a verb is needed")


def _verbs() -> str:
    return "verbs:\n" + "\n".join(f"  {name:10} {text}" for name, text in VERBS.items())
