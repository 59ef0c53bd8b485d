import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def picture(path: Path, value: int = 10, size: tuple[int, int] = (5, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)
    return path


@pytest.fixture
def model(make_model) -> str:
    return str(make_model())


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "in"
    picture(folder / "a.png", 10)
    picture(folder / "deep/b.jpg", 20)
    return folder


def convert(*arguments) -> int:
    return main(["convert", "--threads", "1", *map(str, arguments)])


def outputs(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix != ".jsonl"}


def test_a_folder_is_converted_and_the_summary_says_so(model, source, tmp_path, capsys):
    assert convert(model, source, tmp_path / "out") == 0
    assert set(outputs(tmp_path / "out")) == {"a.png", "deep/b.jpg"}
    said = capsys.readouterr()
    assert "2 converted of 2" in said.out
    assert said.err == ""


def test_a_failure_is_told_and_exits_with_1(model, source, tmp_path, capsys):
    (source / "new\nline.png").write_bytes(b"")
    assert convert(model, source, tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "failed [E_EMPTY] new\\nline.png" in said.err
    assert "failures.jsonl" in said.err
    assert "2 converted, 1 failed of 3" in said.out


def test_one_picture_goes_to_a_file_of_any_writable_name(model, source, tmp_path):
    assert convert(model, source / "a.png", tmp_path / "new/b.webp") == 0
    assert Image.open(tmp_path / "new/b.webp").format == "WEBP"


@pytest.mark.parametrize("output", ["existing", "new", "new.with.dots/"])
def test_one_picture_goes_into_a_folder(model, source, tmp_path, output):
    (tmp_path / "existing").mkdir()
    assert convert(model, source / "a.png", f"{tmp_path}/{output}") == 0
    assert set(outputs(tmp_path / output)) == {"a.png"}


@pytest.mark.parametrize(
    ("output", "options", "code", "said"),
    [
        ("in/a.png", [], 3, "E_INOUT_OVERLAP"),
        ("link.png", ["--overwrite"], 3, "E_INOUT_OVERLAP"),
        ("there.png", [], 3, "1 of 1 outputs exist"),
        ("x.psd", [], 2, "end it in .png"),
        ("x.jpg", ["--format", "png"], 2, "asks for jpg"),
        ("x.png", ["--resume"], 2, "for folders"),
    ],
)
def test_one_picture_is_refused_before_work(model, source, tmp_path, capsys, output, options, code, said):
    (tmp_path / "link.png").symlink_to(source / "a.png")
    (tmp_path / "there.png").write_bytes(b"mine")
    before = outputs(tmp_path)
    assert convert(model, source / "a.png", tmp_path / output, *options) == code
    assert said in capsys.readouterr().err
    assert outputs(tmp_path) == before


def test_one_broken_picture_exits_with_1_and_its_code(model, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"<html>")
    assert convert(model, tmp_path / "a.png", tmp_path / "b.png") == 1
    assert "error [E_UNIDENTIFIED]" in capsys.readouterr().err
    assert not (tmp_path / "b.png").exists()


def test_overwrite_and_resume_exclude_each_other(model, source, tmp_path):
    with pytest.raises(SystemExit, match="2"):
        convert(model, source, tmp_path / "out", "--resume", "--overwrite")


@pytest.mark.parametrize(
    "options",
    [["--shard", "3/2"], ["--workers", "0"], ["--threads", "0"], ["--domain", "x"], ["--resume", "--shard", "x"]],
)
def test_wrong_usage_exits_with_2(model, source, tmp_path, options):
    assert convert(model, source, tmp_path / "out", *options) == 2
    assert not (tmp_path / "out").exists()


def test_an_input_that_is_not_there_exits_with_3(model, tmp_path, capsys):
    assert convert(model, tmp_path / "no", tmp_path / "out") == 3
    assert "does not exist" in capsys.readouterr().err


def test_an_unknown_model_exits_with_2(source, tmp_path):
    assert convert("no_such_model", source, tmp_path / "out") == 2


def test_a_hostile_model_exits_with_3_and_writes_nothing(source, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x00garbage")
    assert convert(tmp_path / "bad.onnx", source, tmp_path / "out") == 3
    assert not (tmp_path / "out").exists()


def test_a_folder_into_a_file_exits_with_2(model, source, tmp_path):
    (tmp_path / "out").write_text("a file")
    assert convert(model, source, tmp_path / "out") == 2


def test_a_domain_is_chosen_by_name(make_model, source, tmp_path):
    model = make_model(domains=("same", "inverse"))
    assert convert(model, source, tmp_path / "out", "--domain", "inverse", "--format", "png") == 0
    assert Image.open(tmp_path / "out/a.png").getpixel((0, 0)) == (245, 245, 245)


def test_every_domain_goes_into_a_folder_of_its_own(make_model, source, tmp_path, capsys):
    model = make_model(domains=("same", "inverse"))
    assert convert(model, source, tmp_path / "out", "--domain", "all") == 0
    assert set(outputs(tmp_path / "out")) == {"same/a.png", "same/deep/b.jpg", "inverse/a.png", "inverse/deep/b.jpg"}
    assert "4 converted of 4" in capsys.readouterr().out
    assert convert(model, source / "a.png", tmp_path / "one", "--domain", "all") == 0
    assert capsys.readouterr().out.split() == [f"{tmp_path}/one/{domain}/a.png" for domain in ("same", "inverse")]
    assert convert(model, source / "a.png", tmp_path / "one.png", "--domain", "all") == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "smile"], "--set smile; expected NAME=NUMBER"),
        (["--set", "smile=1"], "takes no attributes; leave out smile"),
        (["--domain", "invers"], "did you mean 'inverse'?"),
    ],
)
def test_what_the_model_cannot_be_told_exits_with_2_before_work(make_model, source, tmp_path, capsys, options, said):
    assert convert(make_model(domains=("same", "inverse")), source, tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_script_of_the_checkout_does_the_same_from_any_folder(model, source, tmp_path):
    command = [sys.executable, ROOT / "tools/convert.py", model, source, "out", "--threads", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    convert(model, source, tmp_path / "other")
    assert outputs(tmp_path / "out") == outputs(tmp_path / "other")


def run_python(script: str, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


WITHOUT_ENGINE = """
import sys
sys.modules["onnxruntime"] = None
from i2i.cli.main import main
sys.exit(main(["convert", *sys.argv[1:]]))
"""


def test_without_onnxruntime_the_way_to_install_it_is_told(model, source, tmp_path):
    done = run_python(WITHOUT_ENGINE, model, source, tmp_path / "out")
    assert done.returncode == 2
    assert 'pip install "i2i[onnx]"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def open_to_all():
    """A folder that a process of another user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


# Permissions do not hold for root: the child gives its rights up, once everything is imported.
WITHOUT_RIGHTS = """
import os, sys
from i2i.cli.main import main
model, source, other, out = sys.argv[1:]
assert main(["convert", model, source, other, "--threads", "1"]) == 0
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main(["convert", model, source, out, "--threads", "1"]))
"""


def test_a_folder_that_may_not_be_written_exits_with_4_without_a_traceback(make_model, open_to_all):
    model = open_to_all / "m.onnx"
    model.write_bytes(make_model().read_bytes())
    picture(open_to_all / "in/a.png")
    (open_to_all / "out").mkdir()
    (open_to_all / "out").chmod(0o555)
    done = run_python(WITHOUT_RIGHTS, model, open_to_all / "in", open_to_all / "other", open_to_all / "out")
    assert done.returncode == 4, done.stderr
    assert "error [E_IO]" in done.stderr
    assert list((open_to_all / "out").iterdir()) == []


def started(model: str, source: Path, out: Path) -> subprocess.Popen:
    """A conversion in its own process group that has written its first picture."""
    command = [sys.executable, "-m", "i2i", "convert", model, source, out, "--threads", "1", "--workers", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not any(out.glob("*.png")) and process.poll() is None:
        time.sleep(0.001)
    return process


@pytest.fixture
def many(tmp_path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (tmp_path / "many").mkdir()
    Image.fromarray(noise).save(tmp_path / "many/0000.png")
    data = (tmp_path / "many/0000.png").read_bytes()
    for number in range(1, 1500):
        (tmp_path / f"many/{number:04}.png").write_bytes(data)
    return tmp_path / "many"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_group_ends_it_cleanly_and_resume_does_the_rest(model, many, tmp_path, number, code):
    out = tmp_path / "out"
    process = started(model, many, out)
    os.killpg(process.pid, number)
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in complaints
    assert "--resume" in complaints
    listed = {json.loads(line)["output"] for line in (out / "manifest.jsonl").read_text().splitlines()}
    assert listed == set(outputs(out))
    assert 0 < len(listed) < 1500
    assert f"{len(listed)} converted, {1500 - len(listed)} not begun of 1500" in said


def test_a_progress_bar_is_shown_on_a_terminal(model, source, tmp_path):
    import pty
    import termios

    control, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [sys.executable, "-m", "i2i", "convert", model, source, tmp_path / "out", "--threads", "1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, text=True, check=False)
    shown = os.read(control, 65536).decode()
    os.close(control)
    os.close(terminal)
    assert done.returncode == 0
    assert "2/2" in shown
    assert "pictures/s" in shown
