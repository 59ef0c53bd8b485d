"""The demo: a page that holds everything, and an exit code that means something."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import demo

ROOT = Path(__file__).parents[2]
TINY = [
    "--generator.channels",
    "1",
    "--generator.depth",
    "2",
    "--discriminator.channels",
    "1",
    "--training.batch_size",
    "1",
]
TINY += ["--training.precision", "fp32"]
TILES = sorted(path.stem for path in (ROOT / "tests/data/earth/test/satellite").glob("*.jpg"))


def figures(*, land_sea: float = 0.95, psnr: float = 21.7, checkerboard: float = 2.0) -> dict[str, dict[str, float]]:
    own = {"land/sea": land_sea, "psnr": psnr, "checkerboard": checkerboard}
    return {"this training": own, "linear map": {"psnr": 21.6}, "quadratic map": {"psnr": 23.3}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A demo of two steps, far too few, in a folder that holds an older run and somebody's file."""
    out = tmp_path_factory.mktemp("demo")
    (out / "run-4").mkdir()
    (out / "run-4" / "mine.txt").write_text("keep")
    command = [sys.executable, str(ROOT / "tools/demo.py"), "--steps", "2", "--out", str(out), *TINY]
    return subprocess.run(command, capture_output=True, text=True, check=False), out


def test_too_short_a_training_ends_with_1_and_names_what_was_missed(finished):
    run, _ = finished
    assert run.returncode == 1, run.stderr
    assert re.search(r"^MISSED: PSNR above the linear map's 21\.59 dB", run.stdout, re.MULTILINE)
    assert re.search(r"^2 steps, .* PSNR \d+\.\d\d dB .* land/sea \d+\.\d%, checkerboard", run.stdout, re.MULTILINE)


def test_the_page_holds_every_tile_and_fetches_nothing(finished):
    run, out = finished
    assert f"page: {out / 'index.html'}" in run.stdout
    html = (out / "index.html").read_text()
    sources = re.findall(r'<img src="([^"]{5})', html)
    assert set(sources) == {"data:"}
    assert len(sources) == len(TILES) + len(TILES[::4])
    assert [html.count(f'alt="{name}:') for name in TILES] == [1 + (i % 4 == 0) for i in range(len(TILES))]
    assert not re.search(r"https?:|<script|<link|@import|url\(", html)


def test_the_page_says_what_was_trained_and_shows_the_baselines(finished):
    html = (finished[1] / "index.html").read_text()
    for words in ("2 steps of 1 crops of 128 px", "U-Net of depth 2 with 1 channels", "resize convolution", "by hand"):
        assert words in html
    for words in ("linear map", "quadratic map", "mean colour", "land/sea", "checkerboard &lt;= 2", ">NO<"):
        assert words in html


def test_a_demo_works_in_a_folder_of_its_own(finished):
    _, out = finished
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "run-4", "run-5"]
    assert [path.name for path in (out / "run-4").iterdir()] == ["mine.txt"]
    assert {path.name for path in (out / "run-5").iterdir()} == {"converted", "relief.onnx", "run", "scores.json"}


def test_what_is_promised_is_kept_at_the_threshold_and_missed_beyond():
    assert [promise.kept for promise in demo.promises(figures())] == [True, True, True]
    assert [promise.kept for promise in demo.promises(figures(land_sea=0.9499))] == [False, True, True]
    assert [promise.kept for promise in demo.promises(figures(psnr=21.6))] == [True, False, True]
    assert [promise.kept for promise in demo.promises(figures(checkerboard=2.01))] == [True, True, False]


def test_a_missed_promise_is_1_unless_nobody_asks():
    kept, missed = demo.promises(figures()), demo.promises(figures(psnr=20.0))
    assert [demo.ending(kept, check=True), demo.ending(missed, check=True), demo.ending(missed, check=False)] == [
        0,
        1,
        0,
    ]


def test_the_steps_fill_the_time_that_is_left_up_to_a_limit():
    assert demo.steps_in(60.0, each=0.5, ready=10.0) == demo.MEASURED_STEPS + 100
    assert demo.steps_in(1e6, each=0.01, ready=0.0) == demo.MOST_STEPS
    assert demo.steps_in(5.0, each=0.5, ready=10.0) == demo.MEASURED_STEPS


def test_a_command_that_fails_ends_the_demo_with_its_code(tmp_path, capfd):
    with pytest.raises(SystemExit) as caught:
        demo.call("info", tmp_path / "nothing")
    assert caught.value.code == 2
    assert "$ i2i info" in capfd.readouterr().out


@pytest.mark.slow
def test_a_training_goes_on_until_its_time_is_over(tmp_path):
    deadline = time.monotonic() + 60
    trained = demo.train_until(tmp_path, deadline, 1, [*TINY, "--training.threads", "1"])
    assert demo.MEASURED_STEPS < trained.steps <= trained.asked
    assert "ms a step" in trained.why
    assert time.monotonic() < deadline + demo.GRACE + 15
    assert (tmp_path / "run/model/model.safetensors").exists()


@pytest.mark.slow
def test_a_training_that_takes_too_long_is_stopped_and_its_state_used(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "GRACE", -40.0)
    trained = demo.train_until(tmp_path, time.monotonic() + 80, 1, [*TINY, "--training.threads", "1"])
    assert demo.MEASURED_STEPS <= trained.steps < trained.asked
    assert (tmp_path / "run/model/model.safetensors").exists()
