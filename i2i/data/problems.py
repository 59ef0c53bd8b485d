"""Everything that is wrong with a data set, told at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from i2i.errors import I2IError, printable

_SHOWN = 20


class Problem(NamedTuple):
    """One file that cannot be used: a code of `i2i.errors.CODES`, the file, and what came, was expected and helps."""

    code: str
    path: Path
    message: str


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one `I2IError` that lists the problems, the first 20 in full; nothing happens when there are none.

    Its code is the problems' own when all share one, E_PAIR_DUPLICATE when names are given twice and partners are
    missing, and otherwise E_BAD_DATA.
    """
    if not problems:
        return
    codes = {problem.code for problem in problems}
    pairing = "E_PAIR_DUPLICATE" if codes == {"E_PAIR_DUPLICATE", "E_PAIR_MISSING"} else "E_BAD_DATA"
    code = problems[0].code if len(codes) == 1 else pairing
    files = "1 file" if len(problems) == 1 else f"{len(problems)} files"
    lines = [f"{files} cannot be used ({_counts(problems)}):"]
    lines += [f"  {problem.code} {printable(problem.path)}: {problem.message}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"  ... and {len(problems) - _SHOWN} more")
    raise I2IError(code, "\n".join(lines))


def _counts(problems: Sequence[Problem]) -> str:
    codes = [problem.code for problem in problems]
    return ", ".join(f"{codes.count(code)} x {code}" for code in sorted(set(codes)))
