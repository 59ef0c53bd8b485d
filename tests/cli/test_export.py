"""`i2i export`: what it writes, what it says, and its exit codes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from i2i.cli.main import main
from i2i.images.card import METADATA_KEY, ImageCard, NetworkSpec, Sizing
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


def test_options_of_later_versions_are_not_offered(model, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["export", str(model), str(tmp_path / "out.onnx"), "--int8"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --int8" in capsys.readouterr().err


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
