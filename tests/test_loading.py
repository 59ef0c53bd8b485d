import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import i2i
from i2i.errors import I2IError
from i2i.files import sha256
from i2i.loading import known_models, load, resolve


def model_folder(make_model, folder: Path) -> Path:
    make_model(name=str(folder / "model.onnx"))
    return folder


def code(call) -> str:
    with pytest.raises(I2IError) as caught:
        call()
    return caught.value.code


def test_an_onnx_file_a_model_folder_and_a_run_folder_are_found(make_model, tmp_path):
    file = make_model()
    folder = model_folder(make_model, tmp_path / "model_folder")
    run = tmp_path / "run"
    model_folder(make_model, run / "model")
    assert resolve(file).path == file
    assert resolve(folder).path == folder / "model.onnx"
    assert (resolve(run).path, resolve(run).run) == (run / "model/model.onnx", run)


def test_a_name_is_found_under_pretrained_here(make_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_folder(make_model, tmp_path / "pretrained/some2other")
    assert resolve("some2other").path.resolve() == tmp_path / "pretrained/some2other/model.onnx"
    assert "some2other" in known_models()


def test_a_path_that_is_a_model_comes_before_a_name(make_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_folder(make_model, tmp_path / "pretrained/same")
    model_folder(make_model, tmp_path / "same")
    assert resolve("same").path.resolve() == tmp_path / "same/model.onnx"


def test_a_folder_of_pictures_does_not_hide_a_name(make_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_folder(make_model, tmp_path / "pretrained/same")
    (tmp_path / "same").mkdir()
    assert resolve("same").path.resolve() == tmp_path / "pretrained/same/model.onnx"


def test_an_unknown_name_lists_the_known_ones(make_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_folder(make_model, tmp_path / "pretrained/some2other")
    with pytest.raises(I2IError, match="did you mean 'some2other'") as caught:
        resolve("some2othr")
    assert caught.value.code == "E_MODEL_NOT_FOUND"


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"x")
    assert code(lambda: resolve(tmp_path / "weights.pth")) == "E_MODEL_NOT_FOUND"
    assert code(lambda: resolve(tmp_path)) == "E_MODEL_NOT_FOUND"
    for absent in ("no/such", "such.onnx"):  # paths, and no misspelt names
        with pytest.raises(I2IError, match=f"{absent}: there is no such file or folder") as caught:
            resolve(absent)
        assert caught.value.code == "E_MODEL_NOT_FOUND"


def test_weights_are_taken_where_torch_is_asked_for_and_onnx_otherwise(make_model, tmp_path):
    folder = model_folder(make_model, tmp_path / "both")
    (folder / "model.safetensors").write_bytes(b"")
    assert resolve(folder).kind == "onnx"
    assert resolve(folder, engine="torch").kind == "weights"
    assert code(lambda: resolve(folder / "model.onnx", engine="torch")) == "E_USAGE"


def test_an_engine_whose_file_is_missing_is_refused(make_model, tmp_path):
    folder = model_folder(make_model, tmp_path / "one")
    assert code(lambda: resolve(folder, engine="torch")) == "E_MODEL_NOT_FOUND"
    (folder / "model.safetensors").write_bytes(b"")
    (folder / "model.onnx").unlink()
    assert code(lambda: resolve(folder, engine="onnx")) == "E_MODEL_NOT_FOUND"


def test_the_digest_is_that_of_the_file_that_computes(make_model):
    path = make_model()
    assert resolve(path).digest() == sha256(path)


def test_load_opens_a_translator(make_model):
    translate = load(make_model(licence="MIT"), threads=1)
    assert translate(np.zeros((1, 1, 3), np.uint8)).tolist() == [[[255, 255, 255]]]
    assert translate.card.licence == "MIT"
    assert i2i.load is load


def test_weights_give_the_same_translator_through_torch(tmp_path, card):
    from i2i.images.card import NetworkSpec, Sizing
    from i2i.networks.unet import UNet
    from i2i.weights.store import save_model

    arguments = {"in_channels": 3, "out_channels": 3, "channels": 4, "depth": 2}
    described = card(network=NetworkSpec(type="unet", arguments=arguments), sizing=Sizing(multiple=4))
    save_model(tmp_path / "model", UNet(**arguments), described)
    result = load(tmp_path / "model", provider="cpu")(np.zeros((5, 6, 3), np.uint8))
    assert (result.shape, result.dtype) == ((5, 6, 3), np.uint8)
    with pytest.raises(I2IError, match="torch, which has no provider coreml"):
        load(tmp_path / "model", provider="coreml")


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_weights_are_not_tiled_whatever_they_are_of(tmp_path, card, norm, monkeypatch):
    from i2i.images.card import NetworkSpec, Sizing
    from i2i.networks.unet import UNet
    from i2i.runtime import translator
    from i2i.weights.store import save_model

    arguments = {"channels": 4, "depth": 2, "norm": norm}
    described = card(network=NetworkSpec(type="unet", arguments=arguments), sizing=Sizing(multiple=4, minimum=4))
    save_model(tmp_path / "model", UNet(**arguments), described)
    picture = np.random.default_rng(0).integers(0, 256, (150, 90, 3), dtype=np.uint8)
    with pytest.raises(I2IError, match=r"make an \.onnx file of them first") as caught:
        load(tmp_path / "model", tile=64)
    assert caught.value.code == "E_USAGE"
    monkeypatch.setattr(translator, "LARGE", 1000)
    monkeypatch.setattr(translator, "SIDE", 64)
    assert np.array_equal(*(load(tmp_path / "model", tile=side)(picture) for side in (None, 0)))


def test_a_translator_says_where_it_runs_and_noise_has_no_tiles(make_model):
    assert load(make_model(), threads=1).provider == "cpu"


def test_an_onnx_model_is_loaded_and_run_without_torch(make_model):
    script = (
        "import sys, numpy, i2i\n"
        f"i2i.load({str(make_model())!r}, threads=1)(numpy.zeros((2, 2, 3), 'uint8'))\n"
        "print([name for name in ('torch', 'onnx', 'cv2', 'albumentations', 'safetensors') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
