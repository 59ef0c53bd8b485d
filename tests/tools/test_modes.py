"""The bench of modes: its measure on samples made by hand, its file, and every row for a few steps."""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import modes


def test_a_mode_counts_from_a_fifth_of_its_fair_share_within_three_deviations() -> None:
    ring = modes.mixture("ring")
    at = ring.centres.repeat_interleave(100, 0)
    assert ring.judged(at) == {"modes": 8.0, "high_quality": 1.0, "reverse_kl": pytest.approx(0.0, abs=1e-12)}
    moved = at.clone()
    moved[:81] += torch.tensor([0.0, 0.07])  # beyond 3 x 0.02: 19 of a share of 100 stay near the first centre
    assert ring.judged(moved)["modes"] == 7
    assert ring.judged(moved)["high_quality"] == pytest.approx(719 / 800)
    moved[:81] = at[:81]
    moved[:80] += torch.tensor([0.0, 0.07])
    assert ring.judged(moved)["modes"] == 8


def test_the_divergence_of_one_mode_alone_is_the_logarithm_of_their_number() -> None:
    grid = modes.mixture("grid")
    assert len(grid.centres) == 25
    assert grid.judged(grid.centres[:1].repeat(50, 1))["reverse_kl"] == pytest.approx(math.log(25))
    assert grid.judged(torch.full((50, 2), 99.0)) == {
        "modes": 0.0,
        "high_quality": 0.0,
        "reverse_kl": pytest.approx(math.log(25)),
    }


@pytest.mark.parametrize(
    ("data", "radius", "deviation"), [("ring", 2.0, 0.02), ("wide", 2.0, 0.2), ("grid", None, 0.05)]
)
def test_drawn_points_have_the_deviation_that_is_said(data: str, radius: float | None, deviation: float) -> None:
    torch.manual_seed(0)
    mix = modes.mixture(data)
    points = mix.draw(20000).flatten(1)
    distance, mode = torch.cdist(points, mix.centres).min(1)
    assert distance.square().mean().div(2).sqrt().item() == pytest.approx(deviation, rel=0.03)
    assert torch.bincount(mode).min() > 0.8 * 20000 / len(mix.centres)
    if radius is not None:
        assert torch.allclose(mix.centres.norm(dim=1), torch.tensor(radius))


@pytest.mark.parametrize("row", list(modes.ROWS))
def test_every_row_plays_under_every_protocol(row: str) -> None:
    for protocol in modes.PROTOCOLS:
        line = modes.measure("ring", protocol, row, 0, 6)
        assert {"modes", "high_quality", "reverse_kl"} < set(line)
        assert 0 <= line["modes"] <= 8


def test_what_is_in_the_file_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "modes.csv"
    words = ["modes.py", "--csv", str(path), "--rows", "plain", "--steps", "2", "--seeds"]
    monkeypatch.setattr("sys.argv", [*words, "0"])
    assert modes.main() == 0
    path.write_text(path.read_text().replace(",0.0,", ",3.0,", 1))
    first = path.read_text()
    monkeypatch.setattr("sys.argv", [*words, "0", "1"])
    assert modes.main() == 0
    assert path.read_text().startswith(first)
    with path.open(newline="") as file:
        assert [line["seed"] for line in csv.DictReader(file)] == ["0", "1"]


def test_the_committed_results_belong_to_rows_that_are_there() -> None:
    lines = modes.read(modes.HERE / "modes.csv")
    assert {line["row"] for line in lines} <= set(modes.ROWS)
    assert f"| {lines[0]['row']} |" in modes.table(lines)
