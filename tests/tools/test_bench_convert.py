"""The bench of conversions runs, exports its network once, and its shares are those of its own figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("decode", "infer", "encode")


def bench(scratch: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/bench_convert.py", "--count", "12", "--size", "32", "--rounds", "1"]
    small = ["--channels", "8", "--depth", "3", "--scratch", str(scratch)]
    return subprocess.run([*command, *small, *words], cwd=ROOT, check=True, capture_output=True, text=True)


def test_the_network_is_exported_once_and_the_share_follows_from_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    first = bench(tmp_path / "scratch", "--json", str(file))
    assert "exporting the network in 8-bit integers" in first.stderr
    assert "pillow: converting" in first.stderr
    (model,) = (tmp_path / "scratch").iterdir()
    assert "int8" in model.name
    result = json.loads(file.read_text())
    for codec in ("cv2", "pillow"):
        (times,), (speed,) = result[codec]["times"], result[codec]["speeds"]
        assert min(times.values()) > 0 and f"| {codec} |" in first.stdout
        bound = result["cores"] / sum(times[stage] for stage in STAGES)
        assert result[codec]["share"] == pytest.approx(speed / bound)

    changed = model.stat().st_mtime_ns
    assert "exporting" not in bench(tmp_path / "scratch").stderr
    assert model.stat().st_mtime_ns == changed
