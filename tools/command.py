"""What scripts have in common that tell their user what is wrong, as `i2i` does, and print tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from i2i.errors import I2IError

METRICS = ("l1", "ssim", "ink_iou")  # by which glyphs are compared in tables


def ended(work: Callable[[], object]) -> int:
    """Do the work; returns the exit code, and says on stderr what an `I2IError` has to say."""
    try:
        work()
    except I2IError as error:
        print(f"error [{error.code}] {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


def markdown(rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]) -> str:
    """Named rows of numbers as a Markdown table; what a row does not have is left empty."""
    lines = [f"| | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    for name, values in rows.items():
        cells = [f"{values[column]:.3f}" if column in values else "" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
