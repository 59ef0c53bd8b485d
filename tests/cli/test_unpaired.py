"""A training without pairs from the command line: both directions are trained, exported, converted and measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import i2i
from i2i.cli.main import main
from i2i.training import checkpoint

TINY = [
    *("--generator.channels", "2", "--generator.blocks", "1", "--discriminator.channels", "4"),
    *("--discriminator.layers", "1", "--data.augmentation.size", "16", "--data.augmentation.mode", "resize"),
    *("--training.threads", "1", "--training.precision", "fp32", "--training.tensorboard", "false"),
    *("--training.monitored_pictures", "2", "--training.batch_size", "2", "--training.schedule", "constant"),
    *("--stabilisers", "[{type: history_pool, size: 3}]"),
]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Five dark pictures and three bright ones to learn from, two of each with one name to test."""
    rng = np.random.default_rng(0)
    for side, low, count in (("A", 0, 5), ("B", 128, 3)):
        for split, names in (("train", [f"{side}{number}" for number in range(count)]), ("test", ["x", "y"])):
            for name in names:
                path = tmp_path / "sets" / f"{split}{side}" / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(rng.integers(low, low + 128, (20, 20, 3), np.uint8)).save(path)
    return tmp_path / "sets"


@pytest.fixture(autouse=True)
def without_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the feature network of KID is not installed: loading it takes seconds."""
    monkeypatch.setattr("i2i.evaluation.unpaired.installed", lambda: False)


def train(sets: Path, run: Path, steps: int, *more: str) -> None:
    data = [] if "--resume" in more else ["--data", str(sets), *TINY]
    assert main(["train", "cyclegan", "--out", str(run), "--steps", str(steps), *data, *more]) == 0


@pytest.mark.slow  # two exports
def test_both_directions_are_trained_exported_converted_and_measured(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    train(sets, run, 4)
    metrics = [json.loads(line).get("metrics") for line in (run / "log.jsonl").read_text().splitlines()]
    names = {f"{kind}_psnr_{side}" for kind in ("cycle", "identity") for side in "ab"}
    assert set(next(found for found in metrics if found)) == names
    assert "cycle_psnr_b" in (run / "report.html").read_text()
    assert len(list((run / "samples").iterdir())) == 2  # before the first step and after the last

    weights = [load_file(run / folder / "model.safetensors") for folder in ("model", "model-b2a")]
    assert weights[0].keys() == weights[1].keys()
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    for direction, side in (("a2b", "A"), ("b2a", "B")):
        file, out = tmp_path / f"{direction}.onnx", tmp_path / f"converted {direction}"
        assert main(["export", str(run), str(file), "--direction", direction]) == 0
        assert main(["convert", str(run), str(sets / f"test{side}"), str(out), "--direction", direction]) == 0
        picture = np.asarray(Image.open(sets / f"test{side}/x.png"))
        through_torch = np.asarray(Image.open(out / "x.png")).astype(int)
        assert np.abs(through_torch - i2i.load(file)(picture)).max() <= 1
        assert np.array_equal(through_torch, i2i.load(run, direction=direction)(picture))

    scores = {}
    for direction in ("a2b", "b2a"):
        arguments = ["evaluate", str(run), "--direction", direction, "--metrics", "l1", "--json", str(tmp_path / "s")]
        assert main(arguments) == 0
        translate = i2i.load(run, direction=direction)
        start, end = ("A", "B") if direction == "a2b" else ("B", "A")
        differences = [
            np.abs(
                translate(np.asarray(Image.open(sets / f"test{start}/{name}.png"))).astype(float)
                - np.asarray(Image.open(sets / f"test{end}/{name}.png"))
            ).mean()
            for name in "xy"
        ]
        scores[direction] = json.loads((tmp_path / "s").read_text())["l1"]
        assert scores[direction] == pytest.approx(np.mean(differences) / 255)
    assert scores["a2b"] != pytest.approx(scores["b2a"])


def test_a_resumed_training_with_its_pools_equals_an_uninterrupted_one(sets: Path, tmp_path: Path) -> None:
    train(sets, tmp_path / "whole", 6)
    train(sets, tmp_path / "parts", 3)
    train(sets, tmp_path / "parts", 6, "--resume")
    for folder in ("model", "model-b2a"):
        whole, parts = (load_file(tmp_path / name / folder / "model.safetensors") for name in ("whole", "parts"))
        assert whole.keys() == parts.keys()
        assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


def test_a_training_may_start_from_both_directions_of_another(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(sets, tmp_path / "first", 2)
    assert main(["info", str(tmp_path / "first")]) == 0
    said = capsys.readouterr().out
    assert f"{tmp_path / 'first' / 'model'}, step 2" in said and f"{tmp_path / 'first' / 'model-b2a'}, step 2" in said
    still = ["--init", str(tmp_path / "first"), "--optimiser.rates.generator", "1e-30"]
    train(sets, tmp_path / "second", 1, *still)
    for folder in ("model", "model-b2a"):
        one, two = (load_file(tmp_path / name / folder / "model.safetensors") for name in ("first", "second"))
        assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())


def test_the_critics_of_a_run_go_on_from_its_checkpoint_and_others_start_anew(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def critics(run: str) -> dict[str, torch.Tensor]:
        state = checkpoint.read(checkpoint.newest(tmp_path / run / "checkpoints")[0])["method"]
        return {name: tensor for name, tensor in state.items() if "discriminator" in name}

    train(sets, tmp_path / "first", 2)
    still = ["--init", str(tmp_path / "first"), "--optimiser.learning_rate", "1e-30"]
    train(sets, tmp_path / "second", 1, *still)
    assert "discriminator: goes on with the weights of the last checkpoint" in capsys.readouterr().err
    first, second = critics("first"), critics("second")
    assert first and first.keys() == second.keys()
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    train(sets, tmp_path / "wider", 1, *still, "--discriminator.channels", "6")
    assert "discriminator: starts anew" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "first" / "checkpoints")
    train(sets, tmp_path / "third", 1, *still)
    assert "discriminator: starts anew" in capsys.readouterr().err
    assert any(not torch.equal(tensor, critics("third")[name]) for name, tensor in first.items())


def test_a_run_one_way_has_no_way_back(make_model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_model(name="run/model/model.onnx")
    run, picture = tmp_path / "run", tmp_path / "x.png"
    Image.new("RGB", (4, 4)).save(picture)
    assert main(["convert", str(run), str(picture), str(tmp_path / "y.png"), "--direction", "b2a"]) == 2
    assert "holds no model-b2a: only the run folder of a training that translates both ways" in capsys.readouterr().err
    assert main(["convert", str(run), str(picture), str(tmp_path / "y.png"), "--direction", "a2b"]) == 0
    make_model(name="run/model-b2a/model.onnx")
    assert i2i.load(run, direction="b2a").card.name == "tiny"


def test_sets_without_pairs_are_described_as_what_they_are(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("testA", "testB"):
        for path in (sets / folder).iterdir():
            path.rename(path.with_stem(folder + path.stem))
    assert main(["info", str(sets)]) == 0
    said = capsys.readouterr().out
    assert "read as --data.type unpaired" in said
    assert "train: 8 pictures, first A0.png" in said
    assert main(["info", str(sets), "--data.type", "paired"]) == 3
    assert "E_PAIR_MISSING" in capsys.readouterr().out


def test_a_model_without_pairs_cannot_be_measured_where_there_are_none(
    sets: Path, make_model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_model(name="run/model/model.onnx")
    (tmp_path / "run/recipe.yaml").write_text(f"data: {{type: unpaired, root: {sets}}}\n")
    assert main(["evaluate", str(tmp_path / "run"), "--metrics", "l1"]) == 0  # `train` has no pairs, `test` has
    assert "2 pictures of test" in capsys.readouterr().out
    (sets / "testB/x.png").rename(sets / "testB/z.png")
    assert main(["evaluate", str(tmp_path / "run"), "--metrics", "l1"]) == 3
    assert "no picture of this name in" in capsys.readouterr().err
