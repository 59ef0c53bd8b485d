"""Where a run's numbers go: `log.jsonl` always, TensorBoard where it is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from i2i import files


class Log:
    """Appends lines to RUN/log.jsonl and mirrors numbers and pictures to TensorBoard (RUN/tensorboard).

    A resumed run drops the lines behind the checkpoint it goes on from, so that no step stands twice. Without a run
    folder (any process but the first) nothing is written.
    """

    def __init__(self, run: Path | None, *, resume_step: int | None = None, tensorboard: bool = True) -> None:
        self._file: TextIO | None = None
        self._board: Any = None
        if run is None:
            return
        path = run / "log.jsonl"
        if resume_step is not None and path.exists():
            _cut(path, resume_step)
        self._file = path.open("a", encoding="utf-8")
        if tensorboard:
            self._board = _tensorboard(run / "tensorboard", resume_step)

    def write(self, step: int, entry: Mapping[str, Any]) -> None:
        """One line: the step and the entry. Numbers in nested mappings become TensorBoard scalars `outer/inner`."""
        if self._file is not None:
            self._file.write(json.dumps({"step": step, **entry}) + "\n")
            self._file.flush()
        if self._board is not None:
            for name, value in _scalars(entry):
                self._board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, pixels: NDArray[np.uint8]) -> None:
        """A sample grid, uint8 (H, W, 3)."""
        if self._board is not None:
            self._board.add_image(name, pixels, step, dataformats="HWC")

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._board is not None:
            self._board.close()


def _scalars(entry: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [
        (f"{outer}/{name}", float(value))
        for outer, inner in entry.items()
        if isinstance(inner, Mapping)
        for name, value in inner.items()
        if isinstance(value, int | float)
    ]


def _cut(path: Path, step: int) -> None:
    """Keep the lines of steps up to `step`; a torn last line goes as well."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    files.publish_text(path, "".join(f"{line}\n" for line in lines if _is_up_to(line, step)), overwrite=True)


def _is_up_to(line: str, step: int) -> bool:
    try:
        return bool(json.loads(line)["step"] <= step)
    except (ValueError, KeyError, TypeError):
        return False


def _tensorboard(folder: Path, resume_step: int | None) -> Any:
    """A summary writer, or None without the package."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    purge = None if resume_step is None else resume_step + 1
    return SummaryWriter(str(folder), purge_step=purge)
