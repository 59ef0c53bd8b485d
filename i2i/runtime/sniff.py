"""Which type a picture file is, by its first bytes: enough to name the output before any picture is decoded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from i2i.errors import I2IError
from i2i.images.signature import Format, sniff

_HEAD = 4096


def content_of(path: Path) -> Format | None:
    """The type of the file at `path`, or None for anything that is not a picture; never waits and never raises.

    A FIFO or a device is not opened: what becomes of it is decided when it is read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        # Between the two looks a FIFO may have taken the name, and opening one waits for its writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(handle, "rb") as file:
            return sniff(file.read(_HEAD))
    except (OSError, I2IError):
        return None
