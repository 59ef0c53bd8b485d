"""The health monitor in real trainings: what it tells and where, that it changes nothing and can be resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i.training import checkpoint
from tests.training.conftest import Train

SHORT: dict[str, Any] = {"training": {"steps": 12, "health_every": 2, "checkpoint_every": 4}}
# Looks are what counts here, not steps: a generator at such a rate is past all hope by then.
WILD: dict[str, Any] = {"optimiser": {"rates": {"generator": 10.0}}}


def log(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{"step": line["step"], **line["health"]} for line in lines if "health" in line]


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.training.health.GRACE", 0)


@pytest.mark.usefixtures("no_grace")
def test_a_wild_generator_is_told_in_the_log_in_words_and_in_the_report(
    run_tiny: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_tiny("run", SHORT, WILD)
    looks = log(tmp_path / "run")
    assert [look["step"] for look in looks] == [2, 4, 6, 8, 10, 12]
    found = [finding for look in looks for finding in look.get("findings", [])]
    assert found
    said = capsys.readouterr().err
    page = (tmp_path / "run" / "report.html").read_text()
    for finding in found:
        assert finding["message"] in said
        assert finding["message"] in page
    assert "Nothing to complain about" not in page


def test_a_short_healthy_run_has_nothing_to_complain_about(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run", SHORT)
    looks = log(tmp_path / "run")
    expected = {"told_apart_discriminator", "gradient_generator", "gradient_discriminator", "diversity", "contrast"}
    assert expected <= set(looks[-1])
    assert not any("findings" in look for look in looks)
    assert "Nothing to complain about" in (tmp_path / "run" / "report.html").read_text()


def test_nobody_looks_where_health_every_is_0(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run", SHORT, {"training": {"health_every": 0}})
    assert log(tmp_path / "run") == []
    assert "Health" not in (tmp_path / "run" / "report.html").read_text()


def weights(run: Path, step: int) -> dict[str, torch.Tensor]:
    state = checkpoint.read(run / "checkpoints" / f"step-{step:08d}")
    return checkpoint.flatten({name: state[name] for name in ("method", "engine", "averages")})[0]


NOISE: dict[str, Any] = {
    "method": {"type": "gan", "latent_channels": 4},
    "generator": {"type": "dcgan", "size": 16, "channels": 4},
    "discriminator": {"type": "dcgan_critic", "size": 16, "channels": 4},
    "data": {"type": "images"},
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        NOISE,
        {"optimiser": {"order": "extragradient"}},
        {"stabilisers": [{"type": "critic_steps", "count": 3}], "training": {"precision": "fp64"}},
    ],
    ids=["pairs", "noise", "order", "turns"],
)
def test_looking_changes_no_weight(run_tiny: Train, tmp_path: Path, change: dict[str, Any]) -> None:
    run_tiny("with", SHORT, change)
    run_tiny("without", SHORT, change, {"training": {"health_every": 0}})
    one, two = weights(tmp_path / "with", 12), weights(tmp_path / "without", 12)
    assert one.keys() == two.keys()
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert len(log(tmp_path / "with")) == 6


@pytest.mark.usefixtures("no_grace")
@pytest.mark.parametrize("change", [WILD, {**NOISE, "stabilisers": [{"type": "critic_steps", "count": 3}]}])
def test_a_resumed_run_finds_what_an_uninterrupted_one_finds(
    run_tiny: Train, tmp_path: Path, change: dict[str, Any]
) -> None:
    run_tiny("whole", SHORT, change)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    for step in (8, 12):
        shutil.rmtree(tmp_path / "cut" / "checkpoints" / f"step-{step:08d}")
    run_tiny("cut", SHORT, change, resume=True)
    assert log(tmp_path / "cut") == log(tmp_path / "whole")
    ends = [checkpoint.read(tmp_path / name / "checkpoints" / "step-00000012") for name in ("whole", "cut")]
    assert checkpoint.digest(ends[0]) == checkpoint.digest(ends[1])


def test_a_checkpoint_from_before_there_was_a_monitor_still_resumes(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run", SHORT)
    state = checkpoint.read(tmp_path / "run" / "checkpoints" / "step-00000008")
    expected = weights(tmp_path / "run", 12)
    del state["health"]
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    digest = json.loads((tmp_path / "run" / "model" / "card.json").read_text())["recipe_digest"]
    checkpoint.save(tmp_path / "run" / "checkpoints", state, step=8, digest=digest)
    run_tiny("run", SHORT, resume=True)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(tmp_path / "run", 12).items())
