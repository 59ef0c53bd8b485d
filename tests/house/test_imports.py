"""What an import may load, proved in a fresh interpreter, and the import contracts, proved by breaking them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.cli.main import VERBS

HEAVY = ("torch", "cv2", "onnx", "onnxruntime", "albumentations", "torchvision", "torchmetrics", "onnxscript", "scipy")
LIGHT = [
    "i2i",
    "i2i.files",
    "i2i.loading",
    "i2i.images.card",
    "i2i.images.codec",
    "i2i.runtime.translator",
    "i2i.runtime.sampler",
    "i2i.evaluation.grids",
    "i2i.evaluation.sheets",
    "i2i.runtime.onnx",
    "i2i.runtime.convert",
    "i2i.embedding.contents",
    "i2i.embedding.onnxruntime_web",
    "i2i.cli.main",
]
REPORT = f"import sys; print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"


def loaded_by(code: str) -> list[str]:
    """The heavy packages that a fresh interpreter holds after `code`."""
    run = subprocess.run([sys.executable, "-c", f"{code}\n{REPORT}"], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[-1].split()[1:]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_probe_sees_a_heavy_package() -> None:
    assert loaded_by("import torch") == ["torch"]


@pytest.mark.parametrize("module", LIGHT)
def test_importing_loads_no_heavy_package(module: str) -> None:
    assert loaded_by(f"import {module}") == []


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in VERBS)], ids=" ".join)
def test_help_loads_no_heavy_package(arguments: list[str]) -> None:
    code = (
        f"import contextlib\nfrom i2i.cli.main import main\nwith contextlib.suppress(SystemExit): main({arguments!r})"
    )
    assert loaded_by(code) == []


def test_the_import_contracts_hold(scratch_package: Path) -> None:
    run = lint_imports(scratch_package)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("importer", "imported", "contract"),
    [
        ("images/card.py", "torch", "no torch, onnx or albumentations from the runtime down"),
        ("networks/unet.py", "i2i.methods.pix2pix", "imports point down only"),
        ("evaluation/grids.py", "i2i.export", "imports point down only"),
        ("errors.py", "i2i.tables", "imports point down only"),
    ],
)
def test_a_wrong_import_breaks_its_contract(scratch_package: Path, importer: str, imported: str, contract: str) -> None:
    path = scratch_package / "i2i" / importer
    path.write_text(f"{path.read_text()}\nimport {imported}\n")
    run = lint_imports(scratch_package)
    assert run.returncode == 1
    assert f"{contract} BROKEN" in run.stdout


def test_methods_may_not_import_their_siblings(scratch_package: Path) -> None:
    (scratch_package / "i2i/methods/sibling.py").write_text("import i2i.methods.pix2pix\n")
    run = lint_imports(scratch_package)
    assert run.returncode == 1
    assert "methods do not import their siblings BROKEN" in run.stdout
