"""Lists of what is known of pictures, in the format of CelebA (Liu et al. 2015, "Deep Learning Face Attributes in the
Wild", arXiv:1411.7766): the number of rows, the names of the attributes, then a row `file value value ...` for each.

A column of -1 and 1 alone is a yes or no and becomes 0 and 1; any other column is kept as it is. Whether files begin
with "train/", with another folder, or with none does not matter as long as each row fits exactly one picture.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from i2i.data.layouts import SPLITS
from i2i.data.problems import Problem
from i2i.errors import I2IError, printable
from i2i.images.codec import SUFFIXES


class AttributeList(NamedTuple):
    """The rows of a list: their files, and float32 (files, names)."""

    names: tuple[str, ...]
    files: list[str]
    values: np.ndarray


class Matching(NamedTuple):
    """Which row of a list belongs to which picture, and what is wrong with the others."""

    rows: dict[Path, int]
    problems: list[Problem]


def read_list(path: Path) -> AttributeList:
    """The whole list; kept in memory as long as the file stays the same. Raises `I2IError` (E_BAD_DATA, with the number
    of the line) for a row that is none, a value that is no finite number, and another number of rows than the first
    line says.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read: {error.strerror}", path=path) from None
    return _read_list(path.absolute(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read_list(path: Path, modified: int, size: int) -> AttributeList:
    """The list as it is in this state of the file."""
    lines = _lines(path)
    names = _names(path, lines)
    rows = [_row(path, number, line, len(names)) for number, line in lines[2:]]
    if int(lines[0][1]) != len(rows):
        message = f"the first line says {int(lines[0][1])}, and {len(rows)} rows follow; correct it, or add the others"
        raise I2IError("E_BAD_DATA", message, path=path)
    values = np.array([values for _, values in rows], np.float32).reshape(len(rows), len(names))
    yes_or_no = (np.abs(values) == 1).all(axis=0)
    values = np.where(yes_or_no & (values == -1), np.float32(0), values)
    values.flags.writeable = False  # shared by all who read this list
    return AttributeList(names, [file for file, _ in rows], values)


def read_partition(path: Path) -> tuple[list[str], list[str]]:
    """Files and their splits from rows `file 0`, 1 for val and 2 for test. Raises `I2IError` (E_BAD_DATA)."""
    files, splits = list[str](), list[str]()
    for number, line in _lines(path):
        file, _, split = line.strip().replace("\t", " ").rpartition(" ")
        if not file or split not in {"0", "1", "2"}:
            message = f"line {number}: '{printable(line.strip())}' is not a file and 0 (train), 1 (val) or 2 (test)"
            raise I2IError("E_BAD_DATA", message, path=path)
        files.append(file.rstrip())
        splits.append(SPLITS[int(split)])
    return files, splits


def match(pictures: Iterable[Path], files: Sequence[str], *, root: Path, path: Path) -> Matching:
    """Find the row of each picture (relative to `root`) among the `files` of the list `path`.

    A file is that picture whose path ends with it, folder by folder (Unicode in composed form).
    """
    numbers: dict[str, int] = {}
    problems: list[Problem] = []
    for number, file in enumerate(files):
        if numbers.setdefault(_composed(file.removeprefix("./")), number) != number:
            problems.append(Problem("E_BAD_DATA", path, f"'{printable(file)}' is listed twice; keep one of the two"))
    rows: dict[Path, int] = {}
    taken: dict[int, Path] = {}
    for picture in pictures:
        row = next((numbers[end] for end in _ends(picture) if end in numbers), None)
        if row is None:
            message = f"is not in {printable(path)}; add a row, or remove the picture"
            problems.append(Problem("E_BAD_DATA", root / picture, message))
        elif taken.setdefault(row, picture) != picture:
            message = (
                f"'{printable(files[row])}' is {printable(taken[row])} and {printable(picture)}; name their folders"
            )
            problems.append(Problem("E_BAD_DATA", path, message))
        else:
            rows[picture] = row
    for row in sorted(set(numbers.values()) - taken.keys()):
        message = f"'{printable(files[row])}' is listed, and there is no such picture; add it, or remove the row"
        problems.append(Problem("E_BAD_DATA", path, message))
    return Matching(rows, problems)


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    found: list[tuple[int, str]] = []
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    found.append((number, line))
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read: {error.strerror}", path=path) from None
    return found


def _names(path: Path, lines: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    if len(lines) < 2 or not lines[0][1].strip().isdecimal():
        message = "does not begin with a line that holds the number of rows and a line with the attributes' names"
        raise I2IError("E_BAD_DATA", message, path=path)
    names = tuple(lines[1][1].split())
    for name in names:
        if names.count(name) > 1 or not name.isprintable():
            fault = "stands twice" if names.count(name) > 1 else "cannot stand"
            raise I2IError("E_BAD_DATA", f"line {lines[1][0]}: '{printable(name)}' {fault} among the names", path=path)
    return names


def _row(path: Path, number: int, line: str, count: int) -> tuple[str, list[float]]:
    """The file and the values of one row; a file's name may hold blanks, so the values are counted from the end."""
    file, *fields = line.strip().rsplit(maxsplit=count)
    whole = len(file.split()) == 1 or PurePosixPath(file).suffix.lower() in SUFFIXES
    if len(fields) < count or not whole:
        first, *rest = line.split()
        message = f"line {number}: {len(rest)} values behind '{printable(first)}', and there are {count} names"
        raise I2IError("E_BAD_DATA", message, path=path)
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise I2IError("E_BAD_DATA", f"line {number}: {error}", path=path) from None
    if not all(map(math.isfinite, values)):
        raise I2IError("E_BAD_DATA", f"line {number}: a value that is not finite", path=path)
    return file, values


def _ends(picture: Path) -> Iterator[str]:
    """What a list may call a picture: its path and ever shorter ends of it."""
    end = _composed(picture.as_posix())
    while end:
        yield end
        end = end.partition("/")[2]


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", path)
