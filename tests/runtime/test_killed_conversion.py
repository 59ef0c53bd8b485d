"""SIGKILL at every file-system operation of a conversion, then --resume: the tree is that of an uninterrupted run."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# One interpreter that has everything imported; each trial is a fork of it, so that a kill costs milliseconds.
DRIVER = """
import os, signal, sys
from i2i.cli.main import main

model, source, root = sys.argv[1:]
WATCHED = {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}

def convert(out, *options):
    return main(["convert", model, source, out, "--threads", "1", "--workers", "1", *options])

def forked(action):
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(action())
    return os.waitpid(pid, 0)[1]

def killed_at(moment, out):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in WATCHED and str(arguments[0]).startswith(out):
            seen += 1
            if seen == moment:
                name = os.path.basename(arguments[0])
                kind = "temporary" if name.startswith(".i2i-tmp-") else os.path.splitext(name)[1] or name
                with open(f"{root}/phases", "a") as file:
                    file.write(f"{event} {kind}\\n")
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    return convert(out)

assert convert(f"{root}/whole") == 0
for moment in range(1, 1000):
    out = f"{root}/out{moment:03}"
    status = forked(lambda: killed_at(moment, out))
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    os.system(f"cp -a {out} {root}/killed{moment:03} 2>/dev/null")
    assert forked(lambda: convert(out, "--resume")) == 0
"""


def images(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("[!.]*.png")}


def temporary(folder: Path) -> list[Path]:
    return list(folder.rglob(".i2i-tmp-*"))


def test_killed_at_any_operation_every_name_is_absent_or_complete_and_resume_completes_the_tree(make_model, tmp_path):
    for name in ("in/a.png", "in/b/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (1, 2, 3)).save(tmp_path / name)
    command = [sys.executable, "-c", DRIVER, make_model(), tmp_path / "in", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    whole = images(tmp_path / "whole")
    assert len(whole) == 2
    for folder in tmp_path.glob("killed*"):
        assert images(folder).items() <= whole.items(), folder
    for folder in tmp_path.glob("out*"):
        assert images(folder) == whole, folder
        assert temporary(folder) == [], folder
    # A kill loop that misses the windows proves nothing: each must have been hit.
    phases = Counter((tmp_path / "phases").read_text().splitlines())
    expected = ["open temporary", "os.link temporary", "os.remove temporary", "open .jsonl", "os.mkdir b"]
    assert all(phases[phase] for phase in expected), phases
    assert any(temporary(folder) for folder in tmp_path.glob("killed*"))


@pytest.mark.slow
def test_killed_at_random_moments_resume_completes_the_tree(make_model, tmp_path):
    noise = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(300):
        Image.fromarray(noise.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / f"in/{number:03}.png")
    command = [sys.executable, "-m", "i2i", "convert", make_model(), tmp_path / "in"]
    options = ["--threads", "1", "--workers", "2"]
    subprocess.run([*command, tmp_path / "whole", *options], check=True, capture_output=True)
    whole, out, inside = images(tmp_path / "whole"), tmp_path / "out", 0
    for _ in range(12):
        process = subprocess.Popen([*command, out, *options, "--resume"], stdout=subprocess.DEVNULL)
        before = len(images(out)) if out.exists() else 0
        while process.poll() is None and (not out.exists() or len(list(out.glob("*.png"))) <= before):
            time.sleep(0.002)
        time.sleep(float(noise.uniform(0, 0.05)))
        process.send_signal(signal.SIGKILL)
        inside += process.wait() == -signal.SIGKILL
        assert images(out).items() <= whole.items()
    assert inside >= 6
    subprocess.run([*command, out, *options, "--resume"], check=True, capture_output=True)
    assert images(out) == whole
    assert temporary(out) == []
    assert (
        len({json.loads(line)["output"] for line in (out / "manifest.jsonl").read_text().splitlines() if line}) == 300
    )
