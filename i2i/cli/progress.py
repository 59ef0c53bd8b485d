"""What `i2i convert` shows: a bar with speed and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2i.errors import printable

if TYPE_CHECKING:
    from i2i.runtime.convert import Outcome
    from i2i.runtime.failures import Failure
    from i2i.runtime.stages import Skipped, Written

_SHOWN = 20


class Progress:
    """Follows one conversion on stderr. Use as a context manager."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._shown = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, outcome: Outcome, result: Written | Skipped | Failure) -> None:
        """Show one more picture; the first failures and warnings get a line each."""
        if self._bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=outcome.total, unit=" pictures", file=sys.stderr, smoothing=0.1)
        for text in _remarks(result):
            self._line(text)
        if self._bar is not None:
            self._bar.update(outcome.finished - self._bar.n)

    def summary(self, outcome: Outcome, output: Path, *, provider: str) -> None:
        """One line for the end, on stdout, with where the model ran; on stderr what to do about what is missing."""
        parts = [f"{outcome.converted} converted"]
        parts += [f"{outcome.skipped} there already"] if outcome.skipped else []
        parts += [f"{outcome.failed} failed"] if outcome.failed else []
        parts += [f"{outcome.total - outcome.finished} not begun"] if outcome.stopped else []
        speed = f"{outcome.converted / outcome.seconds:.1f} pictures/s" if outcome.seconds else "no time"
        took = f"{outcome.seconds:.1f} s, {speed}, on {provider}"
        print(f"{', '.join(parts)} of {outcome.total} -> {printable(output)} ({took})")
        if outcome.failed:
            print(f"the failures are listed in {printable(outcome.failures)}", file=sys.stderr)
        if outcome.stopped:
            print("stopped; run again with --resume to go on", file=sys.stderr)

    def _line(self, text: str) -> None:
        self._shown += 1
        if self._shown > _SHOWN:
            return
        text += "\n(more warnings and failures are not shown)" if self._shown == _SHOWN else ""
        if self._bar is None:
            print(text, file=sys.stderr)
        else:
            self._bar.write(text, file=sys.stderr)


def _remarks(result: Written | Skipped | Failure) -> list[str]:
    from i2i.runtime.failures import Failure
    from i2i.runtime.stages import Written

    if isinstance(result, Failure):
        return [f"failed [{result.code}] {printable(result.path)}: {printable(result.detail)}"]
    if isinstance(result, Written):
        return [f"warning: {printable(result.item.name)} {printable(text)}" for text in result.warnings]
    return []
