"""A resumed run equals an uninterrupted one, bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from i2i.errors import Exit, I2IError
from i2i.training import checkpoint
from tests.training.conftest import Train


def final(run: Path) -> str:
    return checkpoint.digest(checkpoint.read(checkpoint.newest(run / "checkpoints")[0]))


def cut_back(run: Path, step: int) -> None:
    for path in (run / "checkpoints").iterdir():
        if int(path.name.removeprefix("step-")) > step:
            shutil.rmtree(path)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 2), (0, 2)])
def test_resuming_at_every_step_ends_in_the_same_state(
    run_tiny: Train, tmp_path: Path, precision: str, before: int, after: int
) -> None:
    choice = {"training": {"precision": precision}}
    assert run_tiny("whole", choice, {"training": {"workers": before}}) is Exit.DONE
    expected = final(tmp_path / "whole")
    for step in (1, 2, 3) if before == after == 0 else (2,):
        shutil.copytree(tmp_path / "whole", tmp_path / f"cut{step}")
        cut_back(tmp_path / f"cut{step}", step)
        assert final(tmp_path / f"cut{step}") != expected
        run_tiny(f"cut{step}", choice, {"training": {"workers": after}}, resume=True)
        assert final(tmp_path / f"cut{step}") == expected


def test_the_digest_depends_on_the_seed(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("one")
    run_tiny("two", {"training": {"seed": 1}})
    assert final(tmp_path / "one") != final(tmp_path / "two")


@pytest.mark.parametrize(
    "change",
    [
        {"stabilisers": [{"type": "diffaugment"}]},
        # Its only penalty falls after the cut.
        {"stabilisers": [{"type": "r1", "every": 3}], "discriminator": {"norm": "instance"}},
        {"stabilisers": [{"type": "history_pool", "size": 3}, {"type": "critic_steps", "count": 3}]},
        {"stabilisers": ["spectral_norm", "gradient_penalty"], "discriminator": {"norm": "instance"}},
        {"stabilisers": ["weight_norm", "weight_clipping", "packing"]},
        {"stabilisers": ["virtual_batch_norm", "minibatch_discrimination", "layer_noise", "historical_averaging"]},
        {"training": {"schedule": "cosine"}},
        {"training": {"accumulate_steps": 2}},
        {"objective": "least_squares"},
        {"objective": {"type": "non_saturating", "flip_probability": 0.4}},
        {
            "objective": {"type": "began", "diversity_ratio": 1.0, "k_rate": 0.1},
            "discriminator": {"type": "autoencoder", "channels": 4, "depth": 1, "code": 2},
        },
        {"training": {"precision": "fp16"}},
        {"training": {"threads": 2, "batch_size": 4}, "generator": {"channels": 16}},
    ],
)
def test_it_holds_for_parts_with_noise_or_schedules(run_tiny: Train, tmp_path: Path, change: dict[str, Any]) -> None:
    run_tiny("whole", change)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    cut_back(tmp_path / "cut", 2)
    run_tiny("cut", change, resume=True)
    assert final(tmp_path / "cut") == final(tmp_path / "whole")


def test_a_run_goes_on_that_began_before_an_option_came(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run")
    recipe = tmp_path / "run" / "recipe.yaml"
    lines = recipe.read_text().splitlines(keepends=True)
    recipe.write_text("".join(line for line in lines if line.split(":")[0].strip() not in ("turn", "masked")))
    assert len(recipe.read_text().splitlines()) == len(lines) - 2
    run_tiny("run", {"training": {"steps": 4}}, resume=True)
    with pytest.raises(I2IError, match=r"data\.augmentation\.turn: was 0\.0, now 5\.0"):
        run_tiny("run", {"training": {"steps": 4}, "data": {"augmentation": {"turn": 5.0}}}, resume=True)


def test_more_steps_may_be_asked_for_and_other_changes_are_refused_by_name(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("run")
    longer = {"training": {"steps": 5, "schedule": "constant"}}
    with pytest.raises(I2IError, match=r"training.schedule: was 'linear_decay', now 'constant'") as caught:
        run_tiny("run", longer, resume=True)
    assert caught.value.code == "E_CKPT_MISMATCH"
    assert "training.steps" not in str(caught.value)
    run_tiny("run", {"training": {"steps": 5}}, resume=True)
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].name == "step-00000005"


def test_changed_data_are_refused_with_the_file(run_tiny: Train, tmp_path: Path, pairs: Path) -> None:
    run_tiny("run")
    shutil.copy(pairs / "train" / "A" / "1.png", pairs / "train" / "A" / "0.png")
    with pytest.raises(I2IError, match="other content: train/source/0") as caught:
        run_tiny("run", resume=True)
    assert caught.value.exit_code == 3


def test_a_run_folder_is_neither_overwritten_nor_resumed_by_mistake(run_tiny: Train, tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="no run to resume"):
        run_tiny("run", resume=True)
    run_tiny("run")
    with pytest.raises(I2IError, match="--resume goes on with it") as caught:
        run_tiny("run")
    assert caught.value.code == "E_EXISTS"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(I2IError, match="it holds other files"):
        run_tiny("mine")


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(run_tiny: Train, tmp_path: Path) -> None:
    run_tiny("whole")
    expected = final(tmp_path / "whole")
    newest = checkpoint.newest(tmp_path / "whole" / "checkpoints")[0]
    data = (newest / "state.safetensors").read_bytes()
    (newest / "state.safetensors").write_bytes(data[:-8])
    run_tiny("whole", resume=True)
    assert final(tmp_path / "whole") == expected
