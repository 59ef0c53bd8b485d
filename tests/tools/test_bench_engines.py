"""The bench of engines runs, counts multiplications right, and says why an engine has no figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from bench_engines import shown

ROOT = Path(__file__).parents[2]


def bench(*words: str) -> str:
    command = [sys.executable, "tools/bench_engines.py", "--tiny", "--rounds", "1", "--runs", "1", "--threads", "1"]
    return subprocess.run([*command, *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_table_has_a_figure_for_every_engine(tmp_path: Path) -> None:
    engines, file = ["torch", "ort", "ort_int8"], tmp_path / "bench.json"
    printed = bench("--networks", "unet256", "--engines", *engines, "--json", str(file))
    result = json.loads(file.read_text())["unet256"]
    assert list(result["milliseconds"]) == engines
    assert all(times[0] > 0 for times in (*result["milliseconds"].values(), *result["bound"].values()))
    # 32 pixels are halved to 2 and doubled back; 16 taps for each position of the smaller side.
    down = [(3, 8, 16), (8, 16, 8), (16, 32, 4), (32, 64, 2)]
    up = [(64, 32, 2), (64, 16, 4), (32, 8, 8), (16, 3, 16)]
    assert result["multiplications"] == sum(16 * before * after * side**2 for before, after, side in (*down, *up))
    assert "| ms | PyTorch eager | onnxruntime, plain | rewritten, int8 | bound fp32" in printed
    assert "unet256 (0.0 G)" in printed and "failed" not in printed


def test_a_profile_says_where_the_time_goes() -> None:
    printed = bench("--profile", "unet256", "--engines", "ort_int8")
    assert "rewritten, int8:" in printed and "QLinearConv" in printed


def test_figures_are_medians_with_their_spread_or_a_reason() -> None:
    assert shown([3.0, 1.0, 2.0]) == "2.0 (1.0-3.0)"
    assert shown(["not installed"] * 3) == "not installed"
