"""The list of pictures that could not be translated: `failures.jsonl`, one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from i2i.runtime.disk import disk

NAME = "failures"
Stage = Literal["read", "translate", "write"]


@dataclass(frozen=True)
class Failure:
    """Why one picture failed. `path` is relative to the input folder; `bytes` is the file's size and `format` its type
    by content, where known; `size` is [width, height] once the picture has been decoded.
    """

    code: str
    path: str
    stage: Stage
    detail: str
    bytes: int | None
    format: str | None
    size: tuple[int, int] | None


class Failures:
    """The file of one shard's failures. It starts empty (absent) and grows as pictures fail."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with disk(path):
            path.unlink(missing_ok=True)

    def add(self, failure: Failure) -> None:
        """Append one line. Undecodable bytes of a name are kept as lone surrogates, escaped. Raises E_NOSPACE, E_IO."""
        with disk(self.path), self.path.open("ab") as file:
            file.write(json.dumps(asdict(failure)).encode("ascii") + b"\n")
