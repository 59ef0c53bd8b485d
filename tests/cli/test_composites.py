"""Generators that are made of several ones, end to end: trained, exported, and sampled from both files alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import i2i
from i2i.cli.main import main

TINY = ["--training.batch_size", "2", "--training.threads", "1", "--training.precision", "fp32"]
TINY += ["--training.monitored_pictures", "2", "--training.tensorboard", "false", "--training.evaluate_every", "0"]
LAPGAN = ["--generator.channels", "4", "--generator.kernel", "3", "--generator.coarse_channels", "8"]
CONVOLUTIONAL = [*LAPGAN, "--generator.coarse", "convolutional", "--method.coarse_turns", "2"]
CONVOLUTIONAL += ["--method.coarse_discriminator", "{type: dcgan_critic, channels: 2, norm: none, initialisation: he}"]
ADAGAN = ["--generator.channels", "4", "--method.components", "2", "--method.steps_per_component", "2"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures of noise."""
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for number in range(4):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path / "pictures"


@pytest.mark.slow  # an export takes seconds
@pytest.mark.parametrize(
    ("preset", "changes", "network", "numbers"),
    [
        ("lapgan", LAPGAN, "lapgan", 100 + 16 * 16 + 32 * 32),
        ("lapgan", CONVOLUTIONAL, "lapgan", 100 + 16 * 16 + 32 * 32),
        ("adagan", ADAGAN, "mixture", 100 + 1),
    ],
)
def test_a_composite_is_trained_exported_and_sampled(
    pictures: Path, tmp_path: Path, preset: str, changes: list[str], network: str, numbers: int
) -> None:
    run, file = tmp_path / "run", tmp_path / "model.onnx"
    words = ["--discriminator.channels", "4", *TINY, *changes]
    assert main(["train", preset, "--data", str(pictures), "--out", str(run), "--steps", "3", *words]) == 0
    assert main(["export", str(run), str(file)]) == 0
    card = i2i.load(file).card
    assert (card.network.type, card.latent) == (network, numbers)
    for model, name in ((run, "torch"), (file, "onnx")):
        assert main(["sample", str(model), str(tmp_path / name), "--count", "4"]) == 0
    made = [
        np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / name).glob("*.png"))]).astype(int)
        for name in ("torch", "onnx")
    ]
    assert made[0].shape == (4, 32, 32, 3)
    assert np.abs(made[0] - made[1]).max() <= 1
    assert not np.array_equal(made[0][0], made[0][1])
