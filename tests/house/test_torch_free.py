"""A machine without torch: a fresh environment with the wheel and its ONNX extra alone converts a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.images.card import ImageCard, NetworkSpec, Sizing

ABSENT = ("torch", "torchvision", "cv2", "onnx", "onnxscript", "albumentations", "safetensors")
SIZES = {"wide.png": (40, 24), "deeper/odd.jpg": (17, 33), "one.png": (1, 1)}


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh virtual environment that has `i2i[onnx]` and what it depends on."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    interpreter = folder / "bin" / "python"
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", f"{wheel}[onnx]"], check=True)
    return interpreter


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny U-Net, exported here, where torch is."""
    import torch

    from i2i.export.onnx import export_onnx
    from i2i.networks.unet import UNet

    torch.manual_seed(0)
    arguments = {"in_channels": 3, "out_channels": 3, "channels": 4, "depth": 3}
    card = ImageCard(
        name="tiny",
        method="pix2pix",
        sizing=Sizing(rule="pad", multiple=8, minimum=16),
        network=NetworkSpec(type="unet", arguments=arguments),
    )
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    export_onnx(UNet(**arguments).eval(), card, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few noise pictures of awkward sizes."""
    for name, size in SIZES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "in" / name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_fresh_environment_without_torch_converts_a_folder(python: Path, model: Path, folder: Path) -> None:
    probe = f"import importlib.util; print(*[p for p in {ABSENT!r} if importlib.util.find_spec(p)])"
    present = subprocess.run([python, "-c", probe], cwd=folder, capture_output=True, text=True, check=True)
    assert present.stdout.split() == []

    command = [python.parent / "i2i", "convert", model, "in", "out"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert {name: Image.open(folder / "out" / name).size for name in SIZES} == SIZES


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_what_needs_torch_says_which_extra_to_install(python: Path, folder: Path) -> None:
    command = [python.parent / "i2i", "train", "pix2pix", "--data", "in", "--out", "run"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert 'pip install "i2i[train]"' in run.stderr
    assert "Traceback" not in run.stderr
