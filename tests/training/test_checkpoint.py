"""Checkpoints: complete or not there, verified before use, never pickled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i.errors import I2IError
from i2i.training import checkpoint

STATE: dict[str, Any] = {
    "step": 3,
    "best": None,
    "method": {"a.weight": torch.arange(6.0).view(2, 3), "a.count": torch.tensor(4)},
    "engine": {"moments": {"g": {"0": {"step": torch.tensor(3.0)}}}, "scaler": {}},
}


def save(folder: Path, step: int, **options: Any) -> Path:
    return checkpoint.save(folder, {**STATE, "step": step}, step=step, digest="d", **options)


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = checkpoint.read(save(tmp_path, 3))
    assert state["step"] == 3
    assert state["best"] is None
    assert torch.equal(state["method"]["a.weight"], STATE["method"]["a.weight"])
    assert state["method"]["a.count"].dtype == torch.int64
    assert state["engine"]["moments"]["g"]["0"]["step"].item() == 3
    assert checkpoint.digest(state) == checkpoint.digest(STATE)


def test_the_digest_sees_one_changed_bit() -> None:
    other = {**STATE, "method": {**STATE["method"], "a.weight": torch.arange(6.0).view(2, 3)}}
    assert checkpoint.digest(other) == checkpoint.digest(STATE)
    other["method"]["a.weight"][0, 0] = torch.finfo(torch.float32).tiny
    assert checkpoint.digest(other) != checkpoint.digest(STATE)


def test_only_the_newest_are_kept_and_foreign_files_stay(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "step-00000001" / "mine.txt").write_text("keep me")
    for step in (2, 3, 4):
        save(tmp_path, step, keep=2)
    assert checkpoint.newest(tmp_path)[0].name == "step-00000004"
    assert (tmp_path / "step-00000001" / "mine.txt").exists()
    assert not (tmp_path / "step-00000002").exists()


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "manifest"])
def test_a_damaged_checkpoint_is_passed_over_loudly(tmp_path: Path, damage: str) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    tensors = path / "state.safetensors"
    data = bytearray(tensors.read_bytes())
    if damage == "cut":
        tensors.write_bytes(data[:-1])
    elif damage == "flip":
        data[-1] ^= 1
        tensors.write_bytes(data)
    elif damage == "gone":
        tensors.unlink()
    else:
        (path / "MANIFEST.json").write_text("{")
    found, complaints = checkpoint.newest(tmp_path)
    assert found.name == "step-00000001"
    assert len(complaints) == 1
    assert "step-00000002" in complaints[0]


def test_without_any_complete_checkpoint_nothing_starts_over(tmp_path: Path) -> None:
    (save(tmp_path, 1) / "state.json").unlink()
    with pytest.raises(I2IError, match="no complete checkpoint") as caught:
        checkpoint.newest(tmp_path)
    assert caught.value.code == "E_CKPT_INCOMPLETE"


def test_a_later_format_is_refused_by_name(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    manifest = json.loads((path / "MANIFEST.json").read_text())
    (path / "MANIFEST.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(I2IError, match="later i2i") as caught:
        checkpoint.verify(path)
    assert caught.value.code == "E_CKPT_NEWER"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_broken_state_is_never_written(tmp_path: Path, value: float) -> None:
    save(tmp_path, 1)
    with pytest.raises(I2IError, match=r"method/w holds NaN or infinity") as caught:
        checkpoint.save(tmp_path, {"method": {"w": torch.tensor([value])}}, step=2, digest="d")
    assert caught.value.exit_code == 5
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


KILLED = """
import os, sys
from pathlib import Path
import torch
from i2i.training import checkpoint
import safetensors.torch
folder, events = Path(sys.argv[1]), int(sys.argv[2])
state = {"method": {"w": torch.ones(3)}}
results = []
for deadly in range(1, events):
    child = os.fork()
    if child == 0:
        left = [deadly]
        def hook(event, arguments):
            if event == "open" or event.split(".")[0] in ("os", "shutil", "pathlib", "fcntl"):
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)
        sys.addaudithook(hook)
        checkpoint.save(folder, state, step=2, digest="d", keep=1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    results.append(ended)
    found, complaints = checkpoint.newest(folder)
    assert found.name in ("step-00000001", "step-00000002"), found
    assert complaints == [], complaints
    checkpoint.read(found)
    if ended == 0:
        break
    for path in folder.iterdir():
        if path.name != "step-00000001":
            for file in path.iterdir(): file.unlink()
            path.rmdir()
    if not (folder / "step-00000001" / "MANIFEST.json").exists():
        checkpoint.save(folder, state, step=1, digest="d")
print(results.count(9), results[-1])
"""


def test_a_kill_at_any_system_call_of_a_save_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    save(tmp_path, 1)
    command = [sys.executable, "-c", KILLED, str(tmp_path), "200"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    killed, last = run.stdout.split()
    assert int(killed) >= 10  # the window was hit: writing, syncing, renaming, dropping the old one
    assert last == "0"
