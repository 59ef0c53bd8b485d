"""What the commands have in common that tell a model what to make: `--domain NAME` and `--set NAME=VALUE`."""

from __future__ import annotations

import argparse

from i2i.errors import I2IError

ALL = "all"  # in place of a domain's name: every one


def add_condition_options(parser: argparse.ArgumentParser, *, domain: str, attribute: str) -> None:
    """`--domain` and `--set`, with what they do."""
    parser.add_argument("--domain", metavar="NAME", help=domain)
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help=attribute)


def attributes(settings: list[str]) -> dict[str, float] | None:
    """The attributes by name; None where there are none. Raises `I2IError` (E_USAGE)."""
    values = {}
    for setting in settings:
        name, _, value = setting.rpartition("=")
        try:
            values[name] = float(value)
        except ValueError:
            name = ""
        if not name:
            raise I2IError("E_USAGE", f"--set {setting}; expected NAME=NUMBER, as in --set smiling=1") from None
    return values or None
