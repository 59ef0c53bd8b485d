"""`i2i export`: what it writes, what it says, and its exit codes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from i2i.cli.main import main
from i2i.images.card import METADATA_KEY, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.images.encode import encode
from i2i.networks.unet import UNet
from i2i.runtime.onnx import OnnxSession
from i2i.weights.store import save_model

ARGUMENTS = {"in_channels": 3, "out_channels": 3, "channels": 2, "depth": 2}


@pytest.fixture
def model(tmp_path):
    """A run folder with a tiny model in it."""
    network = NetworkSpec(type="unet", arguments=ARGUMENTS)
    card = ImageCard(name="tiny", sizing=Sizing(multiple=4, minimum=4), network=network, method="pix2pix")
    save_model(tmp_path / "run" / "model", UNet(**ARGUMENTS), card)
    return tmp_path / "run"


@pytest.fixture
def pictures(tmp_path):
    """A folder of noise to calibrate with."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8)
        (folder / f"{number}.png").write_bytes(encode(noise, format="png"))
    return folder


def test_a_run_is_exported_with_the_figures_of_the_proof_over_an_old_file_only_when_asked(model, tmp_path, capsys):
    output = tmp_path / "out.onnx"
    output.write_text("precious")
    assert main(["export", str(model), str(output)]) == 3
    assert "error [E_EXISTS]" in capsys.readouterr().err
    assert output.read_text() == "precious"

    assert main(["export", str(model), str(output), "--overwrite"]) == 0
    said = capsys.readouterr()
    assert re.search(r"parity with torch: max difference [01] of 255, in \d+ of \d+ values \(0\.0\d+ %\)", said.out)
    assert f"wrote {output} (0.0 MB)" in said.out and said.err == ""
    picture = OnnxSession(output).run(np.zeros((1, 5, 7, 3), dtype=np.uint8))
    assert picture.shape == (1, 5, 7, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "out.onnx"], "E_MODEL_NOT_FOUND"),
        (["{model}", "out.png"], "must end in .onnx"),
        (["{model}/model/model.onnx", "out.onnx"], "E_USAGE"),
    ],
)
def test_wrong_usage_exits_with_2_and_writes_nothing(model, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    (model / "model" / "model.onnx").write_bytes(b"")
    assert main(["export", *(text.format(model=model) for text in arguments)]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_fp16_and_half_weights_say_what_the_file_is(model, tmp_path, capsys):
    for option, said in (("--fp16", "fp16; PSNR"), ("--half-weights", "fp32, weights stored as fp16; PSNR")):
        output = tmp_path / f"{option}.onnx"
        assert main(["export", str(model), str(output), option]) == 0
        assert f"precision: {said}" in capsys.readouterr().out
        assert main(["info", str(output)]) == 0
        assert said in capsys.readouterr().out


def test_int8_takes_the_pictures_that_are_named_and_says_how_good_and_fast_it_is(model, pictures, tmp_path, capsys):
    output = tmp_path / "out.onnx"
    words = ["export", str(model), str(output), "--int8", "--calibrate", str(pictures), "--int8-psnr", "10"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert re.search(r"precision: int8; 4 of 4 layers, 7-bit weights, for any CPU; PSNR to fp32 \d+\.\d dB", said.out)
    assert re.search(r"speed here: int8 \d+ ms, fp32 \d+ ms", said.out)
    assert main([*words, "--overwrite", "--int8-target", "vnni"]) == 0
    assert "8-bit weights, for CPUs with VNNI" in capsys.readouterr().out


def test_int8_that_is_not_good_enough_is_refused_with_the_figure(model, pictures, tmp_path, capsys):
    output = tmp_path / "out.onnx"
    words = ["export", str(model), str(output), "--int8", "--calibrate", str(pictures), "--int8-psnr", "99"]
    assert main(words) == 3
    assert re.search(r"error \[E_QUANTISATION\] .*a PSNR of \d+\.\d dB to fp32, 99 wanted", capsys.readouterr().err)
    assert not output.exists()


def test_a_psnr_of_label_maps_is_refused(pictures, tmp_path, capsys):
    labels = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0), (0, 0, 255)))
    network = NetworkSpec(type="unet", arguments=ARGUMENTS)
    sizing = Sizing(multiple=4, minimum=4)
    card = ImageCard(name="tiny", target=labels, sizing=sizing, network=network, method="pix2pix")
    save_model(tmp_path / "model", UNet(**ARGUMENTS), card)
    words = ["export", str(tmp_path / "model"), str(tmp_path / "out.onnx"), "--int8", "--calibrate", str(pictures)]
    assert main([*words, "--int8-psnr", "30"]) == 2
    assert "leave out --int8-psnr" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--int8"], "the run's training pictures cannot be read: .*recipe.yaml.*--calibrate DIR"),
        (["--calibrate", "."], "--calibrate belongs to --int8"),
        (["--int8-psnr", "50"], "--int8-psnr belongs to --int8"),
        (["--int8", "--int8-psnr", "0"], "a number of dB above 0, got 0"),
        (["--fp16", "--no-rewrites"], "need the rewrites"),
    ],
)
def test_options_that_do_not_go_together_are_refused(model, tmp_path, capsys, words, said):
    assert main(["export", str(model), str(tmp_path / "out.onnx"), *words]) in (2, 3)
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "out.onnx").exists()


def test_a_file_has_one_precision(model, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["export", str(model), str(tmp_path / "out.onnx"), "--int8", "--fp16"])
    assert caught.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_model_folder_needs_named_pictures(model, tmp_path, capsys):
    assert main(["export", str(model / "model"), str(tmp_path / "out.onnx"), "--int8"]) == 2
    assert "add --calibrate DIR, or give the run folder" in capsys.readouterr().err


def test_int8_of_a_run_takes_its_training_pictures(tmp_path, capsys):
    for split, count in (("train", 8), ("val", 1)):
        for side in ("A", "B"):
            (tmp_path / "data" / split / side).mkdir(parents=True)
            for number in range(count):
                noise = np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)
                (tmp_path / "data" / split / side / f"{number}.png").write_bytes(encode(noise, format="png"))
    run = tmp_path / "run"
    small = [
        "--generator.channels",
        "8",
        "--generator.depth",
        "2",
        "--training.steps",
        "1",
        "--training.batch_size",
        "1",
    ]
    cut = [
        "--data.augmentation.mode",
        "crop",
        "--data.augmentation.size",
        "16",
        "--discriminator.layers",
        "1",
        "--training.precision",
        "fp32",
    ]
    assert main(["train", "pix2pix", "--data", str(tmp_path / "data"), "--out", str(run), *small, *cut]) == 0
    assert main(["export", str(run), str(tmp_path / "out.onnx"), "--int8", "--int8-psnr", "10"]) == 0
    assert "precision: int8; 4 of 4 layers" in capsys.readouterr().out
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    assert main(["export", str(run), str(tmp_path / "other.onnx"), "--int8"]) == 3
    assert "name others with --calibrate DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "removed", "code", "exit_code"),
    [(float("nan"), None, "E_NONFINITE", 5), (0.0, "encoder.0.0.weight", "E_CKPT_MISMATCH", 3)],
)
def test_damaged_weights_are_refused(model, tmp_path, capsys, value, removed, code, exit_code):
    path = model / "model" / "model.safetensors"
    tensors = load_file(path)
    tensors["encoder.0.0.weight"].fill_(value)
    tensors.pop(removed, None)
    card = (model / "model" / "card.json").read_text()
    save_file(tensors, path, metadata={METADATA_KEY: card})
    assert main(["export", str(model), str(tmp_path / "out.onnx")]) == exit_code
    assert f"error [{code}] {path}: " in capsys.readouterr().err
    assert not (tmp_path / "out.onnx").exists()
