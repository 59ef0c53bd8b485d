"""What the tests of the house share: where the checkout is and which files belong to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file under version control, relative to the checkout; deleted ones left out."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in names.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a user who has activated the virtual environment."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def scratch_package(tmp_path: Path) -> Path:
    """A copy of the package and its configuration that a test may spoil."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "i2i", tmp_path / "i2i", ignore=ignore)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def wheel(tracked: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the tracked files alone: nothing that lies about in the checkout can get in."""
    clean, out = tmp_path_factory.mktemp("clean"), tmp_path_factory.mktemp("wheel")
    for path in tracked:
        (clean / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, clean / path)
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out)], cwd=clean, check=True, capture_output=True)
    return next(out.glob("*.whl"))
