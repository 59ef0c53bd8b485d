"""Each program in a folder with nothing but what README.md names for it, installed as README.md says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import i2i
from i2i.embedding.contents import embedded, kit
from i2i.files import publish_folder
from i2i.loading import resolve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MODEL = "line2emoji"
REFERENCE = ["reference-input.png", "reference-output.png", "reference.json"]
PICTURE = ["reference-input.png", "out.png"]
TOLD = {
    "styles": [*PICTURE, "--domain", "drawn"],
    "mixed": [*PICTURE, "--domain", "drawn"],
    "faces": [*PICTURE, "--set", "smile=1"],
    "noise": ["out.png", "--seed", "5", "--domain", "drawn"],
    "factors": ["out.png", "--seed", "5", "--set", "red_hair=1.5"],
}
LIBRARY = Path(os.environ.get("ONNXRUNTIME", "nowhere"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The kit of a real model, without a page."""
    folder = tmp_path_factory.mktemp("whole") / "kit"
    publish_folder(folder, kit([embedded(resolve(MODEL, engine="onnx"))], None))
    return folder


@pytest.fixture
def clean(whole, tmp_path):
    """Copies what the section of README.md names, and the reference, into an empty folder; returns both."""

    def copy(language: str) -> tuple[Path, str]:
        section = (whole / "README.md").read_text().split(f"## {language}\n")[1].split("\n## ")[0]
        needs = section.split("```")[0]
        names = [name for name in re.findall(r"`([\w.-]+\.\w+)`", needs) if (whole / name).exists()]
        assert "model.onnx" in names
        for name in [*names, *REFERENCE]:
            shutil.copy(whole / name, tmp_path / name)
        return tmp_path, section

    return copy


def run(folder: Path, *words: object, **environment: str) -> str:
    """What a command prints; it must succeed."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def as_i2i_gives_it(folder: Path) -> int:
    """How far out.png is from what i2i makes of the reference picture, in levels of 255."""
    source = Image.open(folder / "reference-input.png")
    expected = np.asarray(i2i.load(MODEL)(source), np.int16)
    return int(np.abs(expected - np.asarray(Image.open(folder / "out.png").convert("RGB"), np.int16)).max())


def test_python(clean):
    folder, section = clean("Python")
    packages = re.search(r"pip install (.*)", section)[1].split()
    run(folder, sys.executable, "-m", "venv", "venv")
    python = folder / "venv" / "bin" / "python"
    run(folder, python, "-m", "pip", "install", "--quiet", *packages)
    assert "self-test passed" in run(folder, python, "translate.py", "--self-test")
    run(folder, python, "translate.py", "reference-input.png", "out.png")
    assert as_i2i_gives_it(folder) <= 1


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js and npm are not installed")
def test_node(clean, models, tmp_path):
    folder, _ = clean("Node")
    run(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    assert "self-test passed" in run(folder, "node", "translate.mjs", "--self-test")
    run(folder, "node", "translate.mjs", "reference-input.png", "out.png")
    assert as_i2i_gives_it(folder) <= 1
    for name, path in models.items():  # steered like the Python program, to the same pictures
        one = tmp_path / name
        publish_folder(one, kit([embedded(resolve(path))], None))
        (one / "node_modules").symlink_to(folder / "node_modules")
        assert "passed: at most 0" in run(one, "node", "translate.mjs", "--self-test"), name
        run(one, "node", "translate.mjs", *TOLD.get(name, PICTURE))
        node = np.asarray(Image.open(one / "out.png").convert("RGBA"))
        run(one, sys.executable, "translate.py", *TOLD.get(name, PICTURE))
        assert np.array_equal(node, np.asarray(Image.open(one / "out.png").convert("RGBA"))), name


@pytest.mark.skipif(
    shutil.which("g++") is None or not (LIBRARY / "include" / "onnxruntime_cxx_api.h").exists(),
    reason="no C++ toolchain: g++, and in $ONNXRUNTIME an unpacked release of onnxruntime (include/, lib/)",
)
def test_cpp(clean, models, tmp_path):
    folder, section = clean("C++")
    build = re.search(r"^g\+\+ .*$", section, re.MULTILINE)[0]
    path = {"LD_LIBRARY_PATH": str(LIBRARY / "lib")}
    run(folder, "bash", "-c", build)
    assert "self-test passed" in run(folder, "./translate", "--self-test", **path)
    run(folder, "./translate", "reference-input.png", "out.png", **path)
    assert as_i2i_gives_it(folder) <= 1
    for name in models:
        one = tmp_path / name
        publish_folder(one, kit([embedded(resolve(models[name]))], None))
        run(one, "bash", "-c", build)
        assert "passed: at most 0" in run(one, "./translate", "--self-test", **path), name


@pytest.mark.skipif(shutil.which("dotnet") is None, reason="no .NET SDK is installed")
def test_csharp(clean):
    folder, _ = clean("C#")
    assert "self-test passed" in run(folder, "dotnet", "run", "--", "--self-test")
    run(folder, "dotnet", "run", "--", "reference-input.png", "out.png")
    assert as_i2i_gives_it(folder) <= 1
