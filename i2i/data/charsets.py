"""Sets of characters: those of GB 2312 by name, those in a file, those of a text; and which of them are held out."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from i2i.errors import I2IError
from i2i.tables import unknown

# GB/T 2312-1980: rows 16 to 55 hold the 3,755 characters of level 1, by sound; rows 56 to 87 the 3,008 of level 2, by
# radical. Row and column are two bytes from 0xA1 on.
LEVELS = {"gb2312-1": range(16, 56), "gb2312-2": range(56, 88)}
# What a file is called and hardly anybody wants to see drawn: taken for characters, a slip of the keys would go unseen.
_FILE = re.compile(r"[\w.-]*\w\.\w+", re.ASCII)


def characters(which: str) -> str:
    """The characters that `which` means, each once, in their order.

    A name (gb2312-1, gb2312-2), a file of text in UTF-8, or the characters themselves; spaces and line breaks do not
    count. Raises `I2IError`: E_RECIPE for no characters and for what looks like a name or a file and is none,
    E_UNREADABLE for a file that cannot be read.
    """
    if which in LEVELS:
        return _level(which)
    if os.sep in which or which.endswith(".txt") or _FILE.fullmatch(which) or _is_file(which):
        return _of_file(Path(which))
    if which.startswith("gb2312"):
        raise I2IError("E_RECIPE", unknown("set of characters", which, LEVELS))
    found = _distinct(which)
    if not found:
        raise I2IError("E_RECIPE", f"no characters; name {' or '.join(LEVELS)}, a file, or type them")
    return found


def split(wanted: str, *, test: int, val: int) -> dict[str, str]:
    """The characters of `train`, `val` and `test`, each in the order of `wanted`; empty parts are left out.

    Which ones are held out follows from the characters alone: they stand in the order of the SHA-256 of their code
    point, the first `test` are the test's, the next `val` the validation's. So it is the same for every font and on
    every machine. Raises `I2IError` (E_RECIPE) when nothing is left to train on.
    """
    if test + val >= len(wanted):
        message = f"{test} characters for test and {val} for val leave none of {len(wanted)} to train on"
        raise I2IError("E_RECIPE", f"{message}; lower data.test_characters or data.val_characters")
    ranked = by_digest(wanted)
    held = {"test": set(ranked[:test]), "val": set(ranked[test : test + val])}
    held["train"] = set(ranked[test + val :])
    parts = {name: "".join(c for c in wanted if c in held[name]) for name in ("train", "val", "test")}
    return {name: part for name, part in parts.items() if part}


def by_digest(wanted: str) -> list[str]:
    """The characters in an order that has nothing to do with what they are, and is always the same."""
    return sorted(wanted, key=lambda c: hashlib.sha256(code_point(c).encode()).digest())


def code_point(character: str) -> str:
    """A character's number as Unicode writes it: U+6C38."""
    return f"U+{ord(character):04X}"


def _level(name: str) -> str:
    found = []
    for row in LEVELS[name]:
        for column in range(1, 95):
            try:
                found.append(bytes((row + 0xA0, column + 0xA0)).decode("gb2312"))
            except UnicodeDecodeError:  # five places of row 55 are empty
                continue
    return "".join(found)


def _of_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read ({error.strerror})", path=path) from None
    except UnicodeDecodeError:
        raise I2IError("E_UNREADABLE", "is not text in UTF-8; save it as that", path=path) from None
    found = _distinct(text)
    if not found:
        raise I2IError("E_RECIPE", "holds no characters", path=path)
    return found


def _distinct(text: str) -> str:
    return "".join(dict.fromkeys(c for c in text if not c.isspace() and c.isprintable()))


def _is_file(which: str) -> bool:
    try:
        return Path(which).is_file()
    except (OSError, ValueError):  # longer than a name can be, or a null in it
        return False
