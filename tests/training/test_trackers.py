"""log.jsonl and its mirror in TensorBoard."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from i2i.training.trackers import Log


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def written(run: Path, steps: range, *, resume_step: int | None = None) -> None:
    with Log(run, resume_step=resume_step, tensorboard=False) as log:
        for step in steps:
            log.write(step, {"losses": {"g": step / 2}})


def test_a_line_is_the_step_and_the_entry_and_is_there_at_once(tmp_path: Path) -> None:
    with Log(tmp_path, tensorboard=False) as log:
        log.write(3, {"losses": {"g": 0.5}, "ms_per_step": 7.0})
        assert lines(tmp_path) == [{"step": 3, "losses": {"g": 0.5}, "ms_per_step": 7.0}]
        log.write(4, {"metrics": {"psnr": 20.25}})
    assert lines(tmp_path)[1] == {"step": 4, "metrics": {"psnr": 20.25}}
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_a_resumed_log_drops_what_lies_behind_the_checkpoint_and_goes_on(tmp_path: Path) -> None:
    written(tmp_path, range(1, 8))
    written(tmp_path, range(5, 7), resume_step=4)
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_several_lines_of_one_step_are_kept_or_dropped_together(tmp_path: Path) -> None:
    with Log(tmp_path, tensorboard=False) as log:
        for step in (1, 2):
            log.write(step, {"losses": {}})
            log.write(step, {"metrics": {}})
    written(tmp_path, range(2, 3), resume_step=1)
    assert [line["step"] for line in lines(tmp_path)] == [1, 1, 2]


@pytest.mark.parametrize(
    "torn", ['{"step": 3, "lo', '{"step"', "\x00\x00\x00", "[]", '"text"', "3", "null", '{"step": "3"}']
)
def test_a_torn_last_line_is_dropped(tmp_path: Path, torn: str) -> None:
    written(tmp_path, range(1, 3))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write(torn)
    written(tmp_path, range(3, 4), resume_step=2)
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]


def test_a_line_torn_inside_a_character_is_dropped(tmp_path: Path) -> None:
    written(tmp_path, range(1, 3))
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write('{"step": 3, "name": "é'.encode()[:-1])
    written(tmp_path, range(3, 4), resume_step=2)
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]


def test_a_run_without_a_log_can_be_resumed(tmp_path: Path) -> None:
    written(tmp_path, range(3, 4), resume_step=2)
    assert [line["step"] for line in lines(tmp_path)] == [3]


def test_a_cut_that_fails_leaves_the_old_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, range(1, 4))
    before = (tmp_path / "log.jsonl").read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Exception, match=r"(?i)space"):
        written(tmp_path, range(3, 4), resume_step=2)
    assert (tmp_path / "log.jsonl").read_bytes() == before


def test_without_a_folder_nothing_is_written() -> None:
    with Log(None) as log:
        log.write(1, {"losses": {"g": 1.0}})
        log.picture(1, "samples", np.zeros((2, 2, 3), np.uint8))


def board(run: Path) -> Any:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = event_accumulator.EventAccumulator(str(run / "tensorboard"))
    board.Reload()
    return board


def test_numbers_and_pictures_go_to_tensorboard_and_a_resumed_run_replaces_its_own_steps(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    for resume_step, steps, offset in ((None, range(1, 5), 0.0), (2, range(3, 6), 0.5)):
        with Log(tmp_path, resume_step=resume_step) as log:
            for step in steps:
                log.write(step, {"time": 1e9, "losses": {"g": step + offset}, "metrics": {"psnr": 20}})
            log.picture(steps[-1], "samples", picture)
    seen = board(tmp_path)
    assert sorted(seen.Tags()["scalars"]) == ["losses/g", "metrics/psnr"]
    assert [(event.step, event.value) for event in seen.Scalars("losses/g")] == [
        *((1, 1.0), (2, 2.0)),
        *((3, 3.5), (4, 4.5), (5, 5.5)),
    ]
    images = seen.Images("samples")
    assert (images[-1].step, images[-1].height, images[-1].width) == (5, 4, 6)


def test_tensorboard_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with Log(tmp_path) as log:
        log.write(1, {"losses": {"g": 1.0}})
    assert lines(tmp_path) == [{"step": 1, "losses": {"g": 1.0}}]
