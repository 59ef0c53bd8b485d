"""`i2i sample`: sheets and folders, seeds, the way between two points, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2i
from i2i.cli.main import main
from i2i.evaluation.grids import GAP
from i2i.images.card import ImageCard, NetworkSpec, Sizing
from i2i.networks.mlp import MLP
from i2i.runtime.sampler import between, noise
from i2i.weights.store import save_model

ARGUMENTS = {"in_channels": 4, "out_channels": 3, "channels": 8, "size": 8}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of a tiny generator from noise."""
    torch.manual_seed(0)
    card = ImageCard(
        name="tiny",
        latent=4,
        sizing=Sizing(rule="fixed", width=8, height=8),
        network=NetworkSpec(type="mlp", arguments=ARGUMENTS),
        method="gan",
    )
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, MLP(**ARGUMENTS), card)
    return folder


def sample(*words: object) -> int:
    return main(["sample", *map(str, words)])


def test_a_folder_gets_one_file_a_picture_the_same_for_the_same_seed(model: Path, tmp_path: Path, capsys) -> None:
    assert sample(model, tmp_path / "out", "--count", 3, "--seed", 5) == 0
    assert capsys.readouterr().out == f"3 pictures of seed 5 -> {tmp_path / 'out'}\n"
    names = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert names == ["00000.png", "00001.png", "00002.png"]
    made = i2i.load(model)(noise(3, 4, seed=5))
    for name, pixels in zip(names, made, strict=True):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / name)), pixels)


def test_a_png_gets_all_pictures_as_one_sheet(model: Path, tmp_path: Path) -> None:
    assert sample(model, tmp_path / "deeper" / "sheet.png", "--count", 5) == 0
    pixels = np.asarray(Image.open(tmp_path / "deeper" / "sheet.png"))
    side = 8 + GAP
    assert pixels.shape == (2 * side + GAP, 3 * side + GAP, 3)
    made = i2i.load(model)(noise(5, 4, seed=0))
    assert np.array_equal(pixels[GAP + side : GAP + side + 8, GAP + side : GAP + side + 8], made[4])


def test_interpolating_makes_a_row_from_one_point_to_another(model: Path, tmp_path: Path) -> None:
    assert sample(model, tmp_path / "row.png", "--count", 4, "--interpolate", "--seed", 2) == 0
    pixels = np.asarray(Image.open(tmp_path / "row.png"))
    side = 8 + GAP
    assert pixels.shape == (side + GAP, 4 * side + GAP, 3)
    made = i2i.load(model)(between(*noise(2, 4, seed=2), 4))
    for number, picture in enumerate(made):
        left = GAP + number * side
        assert np.array_equal(pixels[GAP : GAP + 8, left : left + 8], picture)


@pytest.mark.parametrize("name", ["sheet.png", "folder"])
def test_what_is_there_is_replaced_only_when_asked(model: Path, tmp_path: Path, capsys, name: str) -> None:
    assert sample(model, tmp_path / name, "--count", 1) == 0
    assert sample(model, tmp_path / name, "--count", 2, "--seed", 1) == 3
    assert "error [E_EXISTS]" in capsys.readouterr().err
    assert sample(model, tmp_path / name, "--count", 2, "--seed", 1, "--overwrite") == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere", "out"], "E_MODEL_NOT_FOUND"),
        (["{model}", "out", "--count", "0"], "E_USAGE"),
        (["{model}", "out", "--count", "1", "--interpolate"], "E_USAGE"),
        (["{model}", "out", "--seed", "-1"], "E_USAGE"),
        (["{model}", "out", "--threads", "0"], "E_USAGE"),
        (["{model}", "taken"], "E_USAGE"),
        (["{model}", "folder.png"], "E_USAGE"),
    ],
)
def test_wrong_usage_exits_with_2_and_writes_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, words: list[str], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("precious")
    (tmp_path / "folder.png").mkdir()
    assert sample(*(word.format(model=model) for word in words)) == 2
    assert f"error [{code}]" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "taken"]


def test_a_translator_and_a_generator_from_noise_name_each_others_command(
    model: Path, make_model, tmp_path: Path, capsys
) -> None:
    assert sample(make_model(), tmp_path / "out") == 2
    assert "use `i2i convert`" in capsys.readouterr().err
    Image.new("RGB", (8, 8)).save(tmp_path / "in.png")
    assert main(["convert", str(model), str(tmp_path / "in.png"), str(tmp_path / "out.png")]) == 2
    assert "use `i2i sample`" in capsys.readouterr().err


def test_an_exported_model_samples_the_same_and_is_described(model: Path, tmp_path: Path, capsys) -> None:
    assert main(["export", str(model), str(tmp_path / "m.onnx")]) == 0
    assert main(["info", str(tmp_path / "m.onnx")]) == 0
    said = capsys.readouterr().out
    assert "takes:         noise, 4 numbers" in said
    assert "sizes:         8x8 only" in said
    theirs = i2i.load(tmp_path / "m.onnx")(count=7, seed=1)
    ours = i2i.load(model)(count=7, seed=1)
    difference = np.abs(np.stack(ours).astype(int) - np.stack(theirs))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 1
