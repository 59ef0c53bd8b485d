"""The results of a bench: what is there is not run again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import results


def test_only_what_is_missing_is_run_and_each_line_stands_when_it_is_done(tmp_path: Path) -> None:
    path, ran = tmp_path / "bench.csv", list[tuple[int, int]]()

    def measure(row: str, seed: int) -> dict[str, Any]:
        ran.append((seed, len(results.read(path))))
        return {"row": row, "seed": seed, "value": 0.5}

    results.fill(path, [{"row": "a", "seed": seed} for seed in (0, 1)], measure)
    results.fill(path, [{"row": "a", "seed": seed} for seed in (0, 1, 2)], measure)
    assert ran == [(0, 0), (1, 1), (2, 2)]
    assert path.read_text() == "row,seed,value\na,0,0.5\na,1,0.5\na,2,0.5\n"
    assert results.read(tmp_path / "none.csv") == []
