"""SIGINT and SIGTERM as a wish: work in hand is finished, then the command ends with the signal's exit code."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from i2i.errors import Exit

_EXITS = {signal.SIGINT: Exit.SIGINT, signal.SIGTERM: Exit.SIGTERM}


class Stop:
    """Listens for the two signals inside a `with` block of the main thread.

    The first one is remembered; from then on the system's own handlers are back, so a second one ends at once.
    """

    def __init__(self) -> None:
        self.exit_code: Exit | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        for number in _EXITS:
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def requested(self) -> bool:
        """Whether a signal has come."""
        return self.exit_code is not None

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self.exit_code = _EXITS[signal.Signals(number)]
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
