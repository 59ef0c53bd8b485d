"""The exported file: what any other program sees of it, and what must not be in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto

import i2i
from i2i.errors import I2IError
from i2i.export.onnx import export_onnx
from i2i.images.card import ImageCard
from i2i.runtime.onnx import OnnxSession
from i2i.weights.session import TorchSession


@pytest.fixture(scope="session")
def model(exported):
    return onnx.load(exported.path)


def shape(value) -> list[int | str]:
    return [place.dim_param or place.dim_value for place in value.type.tensor_type.shape.dim]


def test_the_file_is_valid_and_of_opset_18(model):
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    assert not model.functions


def test_it_takes_and_gives_uint8_pictures_of_any_size(model):
    (image,), (output,) = model.graph.input, model.graph.output
    assert (image.name, image.type.tensor_type.elem_type, shape(image)) == (
        "image",
        TensorProto.UINT8,
        ["batch", "height", "width", 3],
    )
    assert (output.name, output.type.tensor_type.elem_type, shape(output)) == (
        "image_out",
        TensorProto.UINT8,
        ["batch", "height", "width", 3],
    )


def test_its_only_metadata_is_the_card(model, exported):
    assert [entry.key for entry in model.metadata_props] == ["i2i.card"]
    assert ImageCard.from_json(model.metadata_props[0].value) == exported.card
    assert (model.producer_name, model.producer_version) == ("i2i", i2i.__version__)


def test_nothing_of_this_machine_is_in_it(exported, model):
    content = exported.path.read_bytes()
    root = Path(i2i.__file__).resolve().parents[1]
    for private in (str(root), str(Path.home()) + "/", "site-packages", ".py", "/lib/python", "torch", "forward"):
        assert private.encode() not in content, private
    graph = model.graph
    for part in [*graph.node, *graph.initializer, *graph.input, *graph.output]:
        assert not part.metadata_props and not part.doc_string
    assert not graph.metadata_props and not graph.doc_string and not graph.value_info


def test_it_is_one_file_about_as_large_as_the_weights(exported, model):
    assert [path.name for path in exported.path.parent.iterdir()] == ["model.onnx"]
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    weights = sum(parameter.numel() for parameter in exported.generator.parameters())
    stored = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    # Batch norm's four vectors (of 4, 8 channels) become one bias; constants of sizing and scaling are a few numbers.
    assert weights - 100 < stored < weights + 100
    names = sum(len(node.SerializeToString()) for node in model.graph.node)
    assert exported.path.stat().st_size < 4 * stored + names + 5_000


def test_neither_dropout_nor_chance_nor_batch_norm_is_left(model):
    kinds = {node.op_type for node in model.graph.node}
    assert "Conv" in kinds
    assert not {kind for kind in kinds if "Random" in kind or kind in {"Dropout", "Bernoulli", "BatchNormalization"}}


@pytest.mark.parametrize("batch_and_size", [(1, 1, 1), (1, 7, 200), (3, 33, 17), (2, 2, 3), (1, 64, 48)])
def test_onnxruntime_gives_what_torch_gives(exported, batch_and_size):
    image = np.random.default_rng(1).integers(0, 256, (*batch_and_size, 3), dtype=np.uint8)
    expected = TorchSession(exported.generator, exported.card).run(image)
    got = onnxruntime.InferenceSession(exported.path).run(None, {"image": image})[0]
    assert got.dtype == np.uint8 and got.shape == image.shape
    # Two engines sum in another order; a value on a half may round the other way.
    assert np.abs(expected.astype(int) - got).max() <= 1


def test_our_own_runtime_opens_it(exported):
    image = np.random.default_rng(1).integers(0, 256, (1, 9, 5, 3), dtype=np.uint8)
    session = OnnxSession(exported.path)
    assert session.card == exported.card
    assert (
        np.abs(session.run(image).astype(int) - TorchSession(exported.generator, exported.card).run(image)).max() <= 1
    )


def test_exporting_leaves_the_generator_as_it_was(exported):
    assert all(part.training for part in exported.generator.modules())
    assert all(parameter.requires_grad for parameter in exported.generator.parameters())
    assert exported.generator.decoder[0][2].num_batches_tracked == 0


def test_an_existing_file_is_kept_unless_overwriting_is_asked_for(exported):
    before = exported.path.read_bytes()
    with pytest.raises(I2IError, match="is there already") as caught:
        export_onnx(exported.generator, exported.card, exported.path)
    assert caught.value.code == "E_EXISTS"
    assert exported.path.read_bytes() == before


def test_weights_that_are_not_finite_are_not_exported(exported, tmp_path):
    from i2i.networks.unet import UNet

    broken = UNet(**exported.card.network.arguments)
    with torch.no_grad():
        broken.encoder[0][0].weight.fill_(float("nan"))
    with pytest.raises(I2IError, match=r"encoder\.0\.0\.weight") as caught:
        export_onnx(broken, exported.card, tmp_path / "model.onnx")
    assert caught.value.code == "E_NONFINITE"
    assert not list(tmp_path.iterdir())
