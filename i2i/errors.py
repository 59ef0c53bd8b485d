"""What can go wrong, as a closed list: each code belongs to one exit code, and every error carries its remedy.

Exit codes: 0 all done, 1 some items failed, 2 usage or configuration, 3 input refused before work, 4 environment,
5 numbers (NaN or infinity), 130 and 143 stopped by a signal after a verified save.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    ITEMS_FAILED = 1
    USAGE = 2
    REFUSED = 3
    ENVIRONMENT = 4
    NUMBERS = 5
    SIGINT = 130
    SIGTERM = 143


CODES: dict[str, Exit] = {
    "E_USAGE": Exit.USAGE,
    "E_RECIPE": Exit.USAGE,
    "E_MISSING_PACKAGE": Exit.USAGE,
    "E_MODEL_NOT_FOUND": Exit.USAGE,
    "E_CONDITION": Exit.USAGE,
    "E_SIZE": Exit.USAGE,
    "E_EMPTY": Exit.REFUSED,
    "E_TRUNCATED": Exit.REFUSED,
    "E_CORRUPT": Exit.REFUSED,
    "E_UNIDENTIFIED": Exit.REFUSED,
    "E_FORMAT_BLOCKED": Exit.REFUSED,
    "E_TOO_MANY_PIXELS": Exit.REFUSED,
    "E_TOO_MANY_BYTES": Exit.REFUSED,
    "E_UNSUPPORTED_MODE": Exit.REFUSED,
    "E_UNREADABLE": Exit.REFUSED,
    "E_NOT_REGULAR": Exit.REFUSED,
    "E_NO_IMAGES": Exit.REFUSED,
    "E_COLLISION": Exit.REFUSED,
    "E_EXISTS": Exit.REFUSED,
    "E_INOUT_OVERLAP": Exit.REFUSED,
    "E_LAYOUT": Exit.REFUSED,
    "E_PAIR_MISSING": Exit.REFUSED,
    "E_PAIR_DUPLICATE": Exit.REFUSED,
    "E_PAIR_SIZE": Exit.REFUSED,
    "E_EMPTY_DOMAIN": Exit.REFUSED,
    "E_PALETTE": Exit.REFUSED,
    "E_BAD_DATA": Exit.REFUSED,
    "E_DATA_CHANGED": Exit.REFUSED,
    "E_CKPT_INCOMPLETE": Exit.REFUSED,
    "E_CKPT_DIGEST": Exit.REFUSED,
    "E_CKPT_UNSAFE": Exit.REFUSED,
    "E_CKPT_MISMATCH": Exit.REFUSED,
    "E_CKPT_NEWER": Exit.REFUSED,
    "E_ONNX_INVALID": Exit.REFUSED,
    "E_ONNX_EXTERNAL": Exit.REFUSED,
    "E_ONNX_IO": Exit.REFUSED,
    "E_ONNX_PARITY": Exit.REFUSED,
    "E_QUANTISATION": Exit.REFUSED,
    "E_OOM": Exit.ENVIRONMENT,
    "E_NOSPACE": Exit.ENVIRONMENT,
    "E_IO": Exit.ENVIRONMENT,
    "E_LOCKED": Exit.ENVIRONMENT,
    "E_DOWNLOAD": Exit.ENVIRONMENT,
    "E_NONFINITE": Exit.NUMBERS,
}


class I2IError(Exception):
    """An expected failure. `str(error)` says what came, what was expected and what to do."""

    def __init__(self, code: str, message: str, *, path: Path | str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = None if path is None else Path(path)
        self.exit_code = CODES[code]

    def __str__(self) -> str:
        return self.message if self.path is None else f"{printable(self.path)}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (data loader workers); the keyword argument needs help to get there.
        return _rebuild, (self.code, self.message, self.path)


def _rebuild(code: str, message: str, path: Path | None) -> I2IError:
    return I2IError(code, message, path=path)


def printable(path: Path | str) -> str:
    """The path on one line: control characters and undecodable bytes are escaped, the rest is left as it is."""
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def missing_package(package: str, extra: str) -> I2IError:
    """The error for a feature whose package is not installed."""
    return I2IError("E_MISSING_PACKAGE", f'{package} is not installed; run: pip install "i2i[{extra}]"')
