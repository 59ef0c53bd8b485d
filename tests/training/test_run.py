"""A whole training: what lies in the run folder, what is chosen, what stops it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2i
from i2i import files
from i2i.data.paired_source import PairedSource
from i2i.data.scan import Scan
from i2i.errors import Exit, I2IError
from i2i.recipes.merging import read
from i2i.training import checkpoint
from i2i.training.trial import fastest
from i2i.weights.store import load_model, read_card
from tests.training.conftest import Train

LOOK = {"training": {"sample_every": 2, "evaluate_every": 2, "metrics": ["psnr", "l1"]}}


def lines(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def final(run: Path) -> str:
    return checkpoint.digest(checkpoint.read(checkpoint.newest(run / "checkpoints")[0]))


def test_the_run_folder_holds_everything_that_is_promised(run_tiny: Train, tmp_path: Path) -> None:
    assert run_tiny("run", LOOK) is Exit.DONE
    run = tmp_path / "run"
    assert sorted(path.name for path in (run / "samples").iterdir()) == ["00000000.png", "00000002.png", "00000004.png"]
    logged = lines(run)
    assert [entry["step"] for entry in logged if "losses" in entry] == [1, 2, 3, 4]
    assert [entry["step"] for entry in logged if "metrics" in entry] == [2, 4]
    resolved = read(run / "recipe.yaml")
    assert resolved["training"]["precision"] == "fp32"
    assert resolved["training"]["threads"] == 1
    assert resolved["training"]["device"] in ("cpu", "cuda")
    assert json.loads((run / "environment.json").read_text())["torch"] == torch.__version__
    page = (run / "report.html").read_text()
    assert "psnr" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    card = read_card(run / "model")
    assert (card.name, card.step, card.method) == ("run", 4, "pix2pix")
    assert (card.sizing.multiple, card.sizing.minimum) == (8, 8)


def test_a_split_train_without_pictures_is_refused_with_the_splits_that_have_some(
    run_tiny: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = PairedSource.scan

    def scan(source: PairedSource) -> Scan:
        found = whole(source)
        found.samples["train"] = []
        return found

    monkeypatch.setattr(PairedSource, "scan", scan)
    with pytest.raises(I2IError, match="there is no split 'train', only val") as caught:
        run_tiny("run")
    assert (caught.value.code, caught.value.path) == ("E_LAYOUT", tmp_path / "pairs")
    assert not (tmp_path / "run" / "recipe.yaml").exists()


def test_the_model_of_the_run_is_the_averaged_generator_and_translates(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run")
    state = checkpoint.read(checkpoint.newest(tmp_path / "run" / "checkpoints")[0])
    network, _ = load_model(tmp_path / "run" / "model")
    average = {n.removeprefix("network."): t for n, t in state["averages"]["a2b"].items() if n.startswith("network.")}
    assert all(torch.equal(tensor, average[name]) for name, tensor in network.state_dict().items())
    picture = np.zeros((5, 9, 3), np.uint8)
    assert i2i.load(tmp_path / "run")(picture).shape == (5, 9, 3)


def test_keep_best_keeps_the_model_of_the_best_metric(run_tiny: Train, tmp_path: Path) -> None:
    change = {"training": {"keep_best": "psnr", "evaluate_every": 1, "metrics": ["psnr"]}}
    run_tiny("run", change)
    values = {entry["step"]: entry["metrics"]["psnr"] for entry in lines(tmp_path / "run") if "metrics" in entry}  # type: ignore[index]
    best = max(values, key=lambda step: values[step])
    card = read_card(tmp_path / "run" / "model")
    assert card.step == best
    assert card.metrics["psnr"] == pytest.approx(values[best])


def test_init_starts_from_a_models_weights_and_refuses_another_network(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("first")
    still = {"optimiser": {"learning_rate": 1e-12}, "training": {"steps": 1}}
    run_tiny("second", still, init=tmp_path / "first")
    first, second = load_model(tmp_path / "first" / "model")[0], load_model(tmp_path / "second" / "model")[0]
    for (name, one), two in zip(first.named_parameters(), second.parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-6), name
    for change in ({"channels": 6}, {"norm": "none"}):
        with pytest.raises(I2IError, match=r"give the recipe --generator unet --generator.channels 4") as caught:
            run_tiny("third", {"generator": change}, init=tmp_path / "first")
        assert caught.value.code == "E_CKPT_MISMATCH"
        assert "out_channels" not in str(caught.value)


def test_bad_data_are_all_listed_before_step_0(run_tiny: Train, tmp_path: Path, pairs: Path) -> None:
    (pairs / "train" / "A" / "0.png").write_bytes(b"")
    (pairs / "val" / "B" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (pairs / "train" / "B" / "3.png").unlink()
    with pytest.raises(I2IError) as caught:
        run_tiny("run")
    assert caught.value.exit_code == 3
    for name in ("A/0.png", "B/1.png", "A/3.png"):
        assert name in str(caught.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_size_that_does_not_fit_the_networks_is_refused_with_one_that_does(run_tiny: Train) -> None:
    with pytest.raises(I2IError, match="the next that fits is 16x16") as caught:
        run_tiny("run", {"data": {"augmentation": {"size": 12}}})
    assert caught.value.exit_code == 2


def test_numbers_that_break_stop_the_run_and_name_the_last_good_state(run_tiny: Train, tmp_path: Path) -> None:
    with pytest.raises(I2IError, match=r"step 2: .*The last good state is step-00000001") as caught:
        run_tiny("run", {"optimiser": {"rates": {"generator": 1e38}}})
    assert caught.value.exit_code == 5
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].name == "step-00000001"


def test_a_start_that_failed_leaves_the_folder_free(run_tiny: Train, tmp_path: Path, pairs: Path) -> None:
    good = (pairs / "train" / "A" / "0.png").read_bytes()
    (pairs / "train" / "A" / "0.png").write_bytes(b"")
    with pytest.raises(I2IError):
        run_tiny("run")
    (pairs / "train" / "A" / "0.png").write_bytes(good)
    assert run_tiny("run") is Exit.DONE


def test_a_run_stopped_before_its_first_checkpoint_starts_again(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "checkpoints")
    run_tiny("cut", resume=True)
    assert final(tmp_path / "cut") == final(tmp_path / "whole")
    assert [entry["step"] for entry in lines(tmp_path / "cut")] == [
        entry["step"] for entry in lines(tmp_path / "whole")
    ]


def test_a_step_that_lies_behind_is_refused(run_tiny: Train) -> None:
    run_tiny("run")
    with pytest.raises(I2IError, match="at step 4 already; --steps 2 lies behind"):
        run_tiny("run", {"training": {"steps": 2}}, resume=True)


def test_precision_is_measured_and_resumed_as_it_was_chosen(run_tiny: Train, tmp_path: Path) -> None:
    choice = {"training": {"precision": "auto", "steps": 2}}
    run_tiny("run", choice)
    chosen = read(tmp_path / "run" / "recipe.yaml")["training"]["precision"]
    assert chosen in ("fp32", "bf16")
    run_tiny("run", {"training": {"precision": "auto", "steps": 3}}, resume=True)
    assert read(tmp_path / "run" / "recipe.yaml")["training"]["precision"] == chosen


def test_another_precision_is_taken_only_when_it_saves_a_tenth() -> None:
    assert fastest({"fp32": 100.0, "bf16": 95.0}) == "fp32"
    assert fastest({"fp32": 100.0, "bf16": 85.0}) == "bf16"


def test_the_best_value_survives_a_resume_and_not_a_change_of_metric(run_tiny: Train, tmp_path: Path) -> None:
    change = {"training": {"keep_best": "psnr", "evaluate_every": 1, "metrics": ["psnr", "l1"]}}
    run_tiny("whole", change)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    for step in (3, 4):
        shutil.rmtree(tmp_path / "cut" / "checkpoints" / f"step-0000000{step}")
    run_tiny("cut", change, resume=True)
    one, two = (load_model(tmp_path / name / "model")[0].state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert read_card(tmp_path / "cut" / "model").step == read_card(tmp_path / "whole" / "model").step
    other = {"training": {"keep_best": "l1", "evaluate_every": 1, "metrics": ["psnr", "l1"], "steps": 5}}
    run_tiny("cut", other, resume=True)
    assert "l1" in read_card(tmp_path / "cut" / "model").metrics


def test_a_metric_that_does_not_fit_is_refused_before_step_0(run_tiny: Train, tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="scores label maps"):
        run_tiny("run", {"training": {"keep_best": "mean_iou"}})
    assert not (tmp_path / "run" / "recipe.yaml").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "patchgan"}, "no generator"),
        ({"discriminator": "unet"}, "no discriminator"),
        ({"method": {"l1_weight": 0, "adversarial_weight": 0}}, "nothing to learn from"),
        ({"training": {"batch_size": 3, "accumulate_steps": 2}}, "4 does"),
        ({"generator": {"depth": 1}}, "at least 2"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_the_reason(
    run_tiny: Train, change: dict[str, object], message: str
) -> None:
    with pytest.raises(I2IError, match=message) as caught:
        run_tiny("run", change)
    assert caught.value.exit_code == 2


def test_a_critic_that_takes_no_part_sets_no_size(run_tiny: Train) -> None:
    change = {"method": {"adversarial_weight": 0}, "discriminator": {"layers": 4}, "training": {"steps": 1}}
    assert run_tiny("run", change) is Exit.DONE


@pytest.mark.parametrize(("mode", "rule"), [("crop", "pad"), ("jitter", "resize"), ("resize", "resize")])
def test_the_model_is_used_as_it_was_trained(run_tiny: Train, tmp_path: Path, mode: str, rule: str) -> None:
    run_tiny("run", {"data": {"augmentation": {"mode": mode}}, "training": {"steps": 1}})
    assert read_card(tmp_path / "run" / "model").sizing.rule == rule


def test_a_folder_in_use_is_refused(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run")
    holder = """
import sys, time
from i2i import files
with files.lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(I2IError, match=str(process.pid)) as caught:
            run_tiny("run", resume=True)
        assert caught.value.exit_code == 4
    finally:
        process.kill()
        process.wait()
    with files.lock(tmp_path / "run"):
        pass  # a dead holder's lock is free


@pytest.mark.parametrize(("number", "code", "workers"), [(signal.SIGTERM, 143, 0), (signal.SIGINT, 130, 2)])
def test_a_signal_to_the_group_saves_and_the_run_goes_on_as_if_nothing_had_happened(
    run_tiny: Train, tmp_path: Path, pairs: Path, number: signal.Signals, code: int, workers: int
) -> None:
    run_tiny("whole", {"training": {"steps": 40, "checkpoint_every": 0}})
    resolved = tmp_path / "whole" / "recipe.yaml"
    command = [sys.executable, "-m", "i2i", "train", "pix2pix", "-c", str(resolved), "--out", str(tmp_path / "cut")]
    command += ["--training.workers", str(workers)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "cut" / "log.jsonl"
    deadline = time.monotonic() + 120
    while not (log.exists() and log.stat().st_size > 300):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert "--resume" in errors
    assert not list((tmp_path / "cut" / "checkpoints").glob(".i2i-tmp*"))
    options = {"training": {"steps": 40, "checkpoint_every": 0}}
    run_tiny("cut", options, resume=True)
    states = [checkpoint.newest(tmp_path / name / "checkpoints")[0] for name in ("whole", "cut")]
    assert checkpoint.digest(checkpoint.read(states[0])) == checkpoint.digest(checkpoint.read(states[1]))


TWO = {
    "generator": {"norm": "instance", "dropout": 0.0},
    "discriminator": {"norm": "instance"},
    "training": {"precision": "fp64", "batch_size": 4, "steps": 3},
}


def test_two_processes_equal_one(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("one", TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "i2i"]
    command += ["train", "pix2pix", "-c", str(tmp_path / "one" / "recipe.yaml"), "--out", str(tmp_path / "two")]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    one, two = (
        checkpoint.flatten(checkpoint.read(checkpoint.newest(tmp_path / name / "checkpoints")[0])["method"])[0]
        for name in ("one", "two")
    )
    assert one.keys() == two.keys()
    worst = max(float((one[name] - two[name]).abs().max()) for name in one)
    assert 0 < worst < 1e-9  # sums in another order: not equal to the bit, equal to rounding


FROZEN = [
    *("--method.components", "2", "--method.steps_per_component", "2", "--method.latent_channels", "2"),
    *("--generator.type", "mlp", "--generator.size", "16", "--generator.channels", "4"),
    *("--discriminator.type", "mlp_critic", "--discriminator.size", "16", "--discriminator.channels", "4"),
    *("--data.augmentation.size", "16", "--optimiser.learning_rate", "0.01", "--training.precision", "fp32"),
    *("--training.batch_size", "4", "--training.checkpoint_every", "2", "--training.keep_checkpoints", "3"),
]


def test_what_is_done_learning_stays_as_it_is_in_two_processes(pairs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "i2i"]
    command += ["train", "adagan", "--data", str(pairs), "--out", str(tmp_path / "run"), "--steps", "4", *FROZEN]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    two, four = (checkpoint.read(tmp_path / "run/checkpoints" / f"step-{step:08d}")["method"] for step in (2, 4))
    first = [name for name in two if name.startswith("generator.components.0.")]
    assert first
    assert all(torch.equal(two[name], four[name]) for name in first)
    assert not all(torch.equal(two[name], four[name]) for name in two if name.startswith("generator.components.1."))


def test_label_maps_and_grey_pictures_train_too(tmp_path: Path, run_tiny: Train, pairs: Path) -> None:
    palette = [[0, 0, 0], [255, 0, 0], [0, 255, 0]]
    for path in pairs.glob("*/B/*.png"):
        grey = np.asarray(Image.open(path).convert("L"))
        Image.fromarray(np.array(palette, np.uint8)[grey // 86]).save(path)
    sides = {"source_pixels": {"colour": "gray"}, "target_pixels": {"colour": "labels", "palette": palette}}
    looked = {"training": {"sample_every": 4, "evaluate_every": 4}}
    run_tiny("run", {"data": sides}, looked)
    metrics = lines(tmp_path / "run")[-1]["metrics"]
    assert set(metrics) == {"accuracy", "mean_iou"}  # type: ignore[call-overload]
    output = i2i.load(tmp_path / "run")(np.zeros((7, 6, 1), np.uint8))
    assert {tuple(colour) for colour in output.reshape(-1, 3).tolist()} <= {tuple(colour) for colour in palette}
