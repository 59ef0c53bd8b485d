"""The model folder: what is written, what is read, and everything that is refused."""

from __future__ import annotations

import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from i2i.errors import I2IError
from i2i.networks.unet import UNet
from i2i.weights.session import TorchSession
from i2i.weights.store import load_model, read_card, save_model

IMAGE = np.random.default_rng(0).integers(0, 256, (2, 9, 6, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, generator, card):
    save_model(tmp_path / "model", generator, card)
    return tmp_path / "model"


def refusal(folder) -> I2IError:
    with pytest.raises(I2IError) as caught:
        load_model(folder)
    return caught.value


def rewrite(folder, change) -> None:
    """Change the tensors and write them with the same metadata."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"i2i.card": read_card(folder).to_json()})


def write_raw(folder, header: dict[str, object] | bytes, data: bytes = b"", *, length: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = (len(text) if length is None else length).to_bytes(8, "little")
    (folder / "model.safetensors").write_bytes(size + text + data)


def test_a_model_comes_back_with_its_card_and_translates_alike(folder, generator, card):
    loaded, loaded_card = load_model(folder)
    assert loaded_card == card == read_card(folder)
    assert not any(part.training for part in loaded.modules())
    assert (TorchSession(loaded, card).run(IMAGE) == TorchSession(generator, card).run(IMAGE)).all()
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.safetensors"]


def test_loading_and_saving_draw_no_random_numbers(folder):
    before = torch.get_rng_state()
    load_model(folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_halves_the_file_and_is_single_precision_when_loaded(folder, tmp_path, generator, card):
    save_model(tmp_path / "half", generator, card, half=True)
    stored = load_file(tmp_path / "half" / "model.safetensors")
    loaded, _ = load_model(tmp_path / "half")
    expected = {name: value.half().float() for name, value in generator.state_dict().items() if value.ndim == 4}
    for name, value in expected.items():
        assert stored[name].dtype == torch.float16
        assert loaded.state_dict()[name].dtype == torch.float32
        assert torch.equal(loaded.state_dict()[name], value)
    assert stored["decoder.0.2.num_batches_tracked"].dtype == torch.int64
    weights = sum(value.numel() for value in stored.values())
    sizes = [(path / "model.safetensors").stat().st_size for path in (folder, tmp_path / "half")]
    assert 1.8 * weights < sizes[0] - sizes[1] < 2.2 * weights


def test_saving_refuses_to_overwrite_unless_asked(folder, generator, card):
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(I2IError, match="is there already") as caught:
        save_model(folder, generator, card.model_copy(update={"step": 8}))
    assert caught.value.code == "E_EXISTS"
    assert (folder / "model.safetensors").read_bytes() == before and read_card(folder) == card
    save_model(folder, generator, card.model_copy(update={"step": 8}), overwrite=True)
    assert load_model(folder)[1].step == read_card(folder).step == 8


@pytest.mark.parametrize(("value", "half"), [(float("nan"), False), (float("inf"), False), (1e6, True)])
def test_weights_that_are_not_finite_are_never_saved(tmp_path, generator, card, value, half):
    with torch.no_grad():
        generator.decoder[0][1].weight[0, 0, 0, 0] = value
    with pytest.raises(I2IError, match=r"NaN or infinite: decoder\.0\.1\.weight") as caught:
        save_model(tmp_path / "model", generator, card, half=half)
    assert caught.value.code == "E_NONFINITE"
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_not_loaded(folder, value):
    rewrite(folder, lambda tensors: tensors["encoder.0.0.weight"].fill_(value))
    assert refusal(folder).code == "E_NONFINITE"


@pytest.mark.parametrize("name", ["card.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    error = refusal(folder)
    assert (error.code, error.path) == ("E_CKPT_INCOMPLETE", folder / name)


@pytest.mark.parametrize("kept", [0, 5, 8, 100, -1])
def test_weights_cut_off_anywhere_are_incomplete(folder, kept):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert refusal(folder).code == "E_CKPT_INCOMPLETE"


def test_a_folder_in_place_of_the_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    assert refusal(folder).code == "E_NOT_REGULAR"


def test_a_pipe_in_place_of_the_weights_does_not_hang(folder):
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    assert refusal(folder).code == "E_NOT_REGULAR"


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, target) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("kind", ["pickle", "zip"])
def test_a_renamed_pickle_is_refused_and_not_executed(folder, tmp_path, kind):
    path, target = folder / "model.safetensors", tmp_path / "executed"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Malicious(target)))
    else:
        torch.save({"weights": Malicious(target)}, path)
        assert zipfile.is_zipfile(path)
    error = refusal(folder)
    assert error.code == "E_CKPT_UNSAFE" and "pickled checkpoint" in error.message
    assert not target.exists()


def test_a_header_whose_length_looks_like_a_pickle_is_still_read(tmp_path, generator, card):
    # 128 + 256 n in the first byte is 0x80, which pickles start with, too.
    for spaces in range(0, 256, 8):
        save_model(tmp_path / "model", generator, card.model_copy(update={"licence": " " * spaces}), overwrite=True)
        if (tmp_path / "model" / "model.safetensors").read_bytes()[0] == 0x80:
            break
    else:
        pytest.fail("no header of such a length was made")
    load_model(tmp_path / "model")


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": F32, "b": F32 | {"data_offsets": [4, 12]}}, bytes(12)),  # overlapping
        ({"a": F32 | {"data_offsets": [8, 16]}}, bytes(16)),  # a hole
        ({"a": F32 | {"data_offsets": [8, 0]}}, bytes(8)),  # backwards
        ({"a": F32 | {"data_offsets": [-8, 0]}}, bytes(8)),
        ({"a": F32 | {"data_offsets": [0, "8"]}}, bytes(8)),
        ({"a": F32 | {"shape": [3]}}, bytes(8)),  # shape and length disagree
        ({"a": F32 | {"shape": [2**62, 4]}}, bytes(8)),  # overflows
        ({"a": F32 | {"dtype": "OBJECT"}}, bytes(8)),
        ({"a": F32}, bytes(9)),  # bytes that belong to nothing
        ({"a": "text"}, b""),
        ({"a": {}}, b""),
        (b'{"a": ', b""),
        (b"[" * 50_000, b""),  # deeply nested
        (b"{}" + b"\xff\xfe", b""),
        (b"[1, 2]", b""),
        (b"null", b""),
    ],
)
def test_a_hostile_header_is_refused(folder, header, data):
    write_raw(folder, header, data)
    assert refusal(folder).code == "E_CKPT_UNSAFE"


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 100_000_001])
def test_a_header_longer_than_any_real_one_is_refused_before_it_is_read(folder, length):
    write_raw(folder, {"a": F32}, bytes(8), length=length)
    assert refusal(folder).code == "E_CKPT_UNSAFE"


def test_missing_and_unexpected_weights_are_named(folder):
    def rename(tensors) -> None:
        tensors["extra"] = tensors.pop("encoder.0.0.weight")

    rewrite(folder, rename)
    error = refusal(folder)
    assert error.code == "E_CKPT_MISMATCH"
    assert "missing: encoder.0.0.weight; unexpected: extra" in error.message


def test_a_wrong_shape_is_shown_with_the_one_expected(folder):
    rewrite(folder, lambda tensors: tensors.update({"encoder.0.0.weight": torch.zeros(4, 3, 3, 3)}))
    error = refusal(folder)
    assert error.code == "E_CKPT_MISMATCH"
    assert "encoder.0.0.weight is float32 [4, 3, 3, 3], expected float32 [4, 3, 4, 4]" in error.message


def test_whole_numbers_in_place_of_fractions_are_refused(folder):
    rewrite(folder, lambda tensors: tensors.update({"encoder.0.0.weight": torch.zeros(4, 3, 4, 4, dtype=torch.int32)}))
    assert refusal(folder).code == "E_CKPT_MISMATCH"


@pytest.mark.parametrize(
    ("network", "shown"),
    [
        ({"type": "unett"}, "did you mean 'unet'"),
        ({"arguments": {"widht": 3}}, "widht"),
        ({"arguments": {"depth": 1}}, "at least 2"),
        ({"arguments": {"depth": 3}}, "missing: "),
        ({"arguments": {"channels": 10**6}}, "expected float32"),  # terabytes: refused before they are allocated
    ],
)
def test_a_card_of_another_network_is_refused(folder, card, network, shown):
    changed = json.loads(card.to_json())
    changed["network"]["type"] = network.get("type", "unet")
    changed["network"]["arguments"] |= network.get("arguments", {})
    (folder / "card.json").write_text(json.dumps(changed))
    save_file(load_file(folder / "model.safetensors"), folder / "model.safetensors")  # without the card inside
    error = refusal(folder)
    assert error.code == "E_CKPT_MISMATCH" and shown in error.message


def test_two_cards_of_different_translators_are_refused(folder, card):
    (folder / "card.json").write_text(card.model_copy(update={"scale": 2}).to_json())
    error = refusal(folder)
    assert error.code == "E_CKPT_MISMATCH" and "differ in scale" in error.message


def test_the_card_inside_the_weights_wins_when_a_save_was_interrupted(folder, card):
    (folder / "card.json").write_text(card.model_copy(update={"step": 3}).to_json())
    assert load_model(folder)[1].step == 7


def test_a_newer_card_asks_for_a_newer_i2i(folder, card):
    newer = json.loads(card.to_json()) | {"format": 99}
    (folder / "card.json").write_text(json.dumps(newer))
    assert refusal(folder).code == "E_CKPT_NEWER"


@pytest.mark.parametrize("text", ["", "[]", "{}", "\xff", '{"name": 1}'])
def test_a_broken_card_is_refused(folder, text):
    (folder / "card.json").write_bytes(text.encode("latin-1"))
    assert refusal(folder).code == "E_CKPT_MISMATCH"


def test_networks_with_instance_norm_come_back_too(tmp_path, card):
    arguments = card.network.arguments | {"norm": "instance"}
    other = card.model_copy(update={"network": card.network.model_copy(update={"arguments": arguments})})
    network = UNet(**arguments)
    save_model(tmp_path, network, other)
    loaded, _ = load_model(tmp_path)
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in network.state_dict().items())
