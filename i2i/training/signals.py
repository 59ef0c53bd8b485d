"""SIGINT and SIGTERM while training: noted, obeyed after the step in progress has been saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from i2i.errors import Exit


class Stop:
    """Inside the `with` block, SIGINT and SIGTERM set `exit_code` and do nothing else.

    A second SIGINT is an ordinary KeyboardInterrupt, for whoever cannot wait.
    """

    def __init__(self) -> None:
        self.exit_code: Exit | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.exit_code is Exit.SIGINT and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.exit_code = Exit.SIGINT if number == signal.SIGINT else Exit.SIGTERM
