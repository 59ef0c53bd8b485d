"""The pictures of a folder, in an order that is the same on every machine."""

from __future__ import annotations

import os
from pathlib import Path

from i2i.errors import I2IError
from i2i.images.signature import SUFFIXES


def list_images(folder: Path | str) -> list[Path]:
    """Paths of the pictures in `folder` and below, relative to it, sorted by their bytes.

    A picture is what has one of `SUFFIXES`, in small or capital letters; content is not looked at. Names that start
    with a dot (hidden, temporary) are skipped with all below them. Linked folders are not entered, and linked files
    count only when they lie in `folder` too. Raises `I2IError` E_UNREADABLE when a folder cannot be listed.
    """
    root = Path(folder)
    real_root = os.path.realpath(root)
    found: list[Path] = []
    for parent, folders, names in os.walk(root, onerror=_fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(parent).relative_to(root)
        for name in names:
            path = inside / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if not (root / path).is_symlink() or _lies_in(root / path, real_root):
                found.append(path)
    return sorted(found, key=lambda path: os.fsencode(path.as_posix()))


def _lies_in(path: Path, real_root: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(real_root)


def _fail(error: OSError) -> None:
    raise I2IError("E_UNREADABLE", f"cannot be listed: {error.strerror}", path=error.filename) from error
