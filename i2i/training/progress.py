"""Progress of a training run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType

from tqdm import tqdm

_LINE_SECONDS = 30.0


class Progress:
    """Shows step, losses, speed and time left on stderr; nothing when not `shown`."""

    def __init__(self, start: int, stop: int, *, shown: bool = True) -> None:
        self.start = start
        self.step = start
        self.stop = stop
        self._shown = shown
        self._bar = tqdm(total=stop, initial=start, unit="step", leave=True) if shown and sys.stderr.isatty() else None
        self._begun = self._last = self._said = time.monotonic()

    def advance(self, losses: Mapping[str, float]) -> float:
        """Count one step; returns its duration in milliseconds."""
        now = time.monotonic()
        milliseconds = 1000 * (now - self._last)
        self._last = now
        self.step += 1
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_postfix_str(_listed(losses), refresh=False)
        elif self._shown and (now - self._said >= _LINE_SECONDS or self.step == self.stop):
            self._said = now
            print(self._line(losses, now), file=sys.stderr, flush=True)  # noqa: T201
        return milliseconds

    def say(self, line: str) -> None:
        """A line of its own, above the bar where there is one."""
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        elif self._shown:
            print(line, file=sys.stderr, flush=True)  # noqa: T201

    def _line(self, losses: Mapping[str, float], now: float) -> str:
        each = (now - self._begun) / max(self.step - self.start, 1)
        left = each * (self.stop - self.step) / 60
        return f"step {self.step}/{self.stop}  {1000 * each:.0f} ms/step  {left:.1f} min left  {_listed(losses)}"

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _listed(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
