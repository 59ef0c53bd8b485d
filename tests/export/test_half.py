"""16 bits: weights stored so without loss, and graphs that compute so."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto

import i2i
from i2i.errors import I2IError
from i2i.export.onnx import export_onnx
from i2i.export.parity import scene
from i2i.images.card import Pixels


def rounded(network: torch.nn.Module) -> torch.nn.Module:
    """All numbers to what 16 bits hold, as shipped models have them."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())
    return network


def large_floats(path) -> int:
    """How many numbers of large constants are stored in 32 bits."""
    tensors = onnx.load(path).graph.initializer
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in tensors if tensor.data_type == TensorProto.FLOAT}
    return sum(size for size in sizes.values() if size >= 256)


@pytest.mark.parametrize(
    "given", [{}, {"upsampling": "resize"}, {"norm": "instance"}], ids=["transposed", "doubled", "instance-norm"]
)
def test_weights_of_16_bits_are_stored_in_16_whatever_rewrites_did_to_them(given, tiny_unet, tmp_path):
    generator, card = tiny_unet(channels=16, **given)
    rounded(generator)
    plain, half = tmp_path / "plain.onnx", tmp_path / "half.onnx"
    export_onnx(generator, card, plain)
    report = export_onnx(generator, card, half, half_weights=True)
    assert report.failed == () and report.max_difference <= 1
    assert large_floats(plain) > 5000 and large_floats(half) == 0
    assert half.stat().st_size < 0.6 * plain.stat().st_size
    picture = scene(21, 13, Pixels(), np.random.default_rng(0))
    ours, theirs = i2i.load(half), i2i.load(plain)
    assert np.abs(ours(picture).astype(int) - theirs(picture)).max() <= 1
    assert (ours.card.precision.arithmetic, ours.card.precision.weights) == ("fp32", "fp16")
    assert theirs.card.precision is None


def test_other_weights_are_rounded_first_and_the_card_says_what_that_did(tiny_unet, tmp_path):
    generator, card = tiny_unet(channels=16)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    path = tmp_path / "half.onnx"
    export_onnx(generator, card, path, half_weights=True)
    assert large_floats(path) == 0
    assert 40 < i2i.load(path).card.precision.psnr < 100
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())


@pytest.mark.parametrize("asked", ["half", "half_weights"])
def test_of_label_maps_the_card_says_how_many_pixels_have_another_label(asked, tiny_unet, tmp_path):
    labels = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0), (0, 0, 255)))
    generator, card = tiny_unet(channels=16, target=labels)
    path = tmp_path / "labels.onnx"
    report = export_onnx(generator, card, path, **{asked: True})
    assert report.labels and report.failed == ()
    precision = i2i.load(path).card.precision
    assert precision.relabelled < 0.01 and (precision.psnr, precision.largest_difference) == (None, None)


def test_a_graph_in_16_bits_takes_and_gives_the_same_and_keeps_statistics_in_32(tiny_unet, tmp_path):
    generator, card = tiny_unet(channels=16, norm="instance")
    path = tmp_path / "fp16.onnx"
    report = export_onnx(generator, card, path, half=True)
    assert report.psnr >= 40
    model = onnx.load(path)
    assert large_floats(path) == 0
    onnx.checker.check_model(model, full_check=True)
    precision = i2i.load(path).card.precision
    assert (precision.arithmetic, precision.largest_difference) == ("fp16", report.max_difference)
    assert precision.psnr == pytest.approx(report.psnr, abs=0.01)
    types = {
        value.name: value.type.tensor_type.elem_type
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
    }
    kinds = Counter((node.op_type, types.get(node.output[0])) for node in model.graph.node)
    assert {kind for op, kind in kinds if op == "Conv"} == {TensorProto.FLOAT16}
    assert {kind for op, kind in kinds if op == "InstanceNormalization"} == {TensorProto.FLOAT}


def test_a_network_that_16_bits_do_not_hold_is_refused(tiny_unet, tmp_path):
    generator, card = tiny_unet(norm="none")
    with torch.no_grad():
        generator.encoder[0][0].weight.mul_(1e6)
        generator.decoder[0][1].weight.mul_(1e-6)
    with pytest.raises(I2IError) as caught:
        export_onnx(generator, card, tmp_path / "fp16.onnx", half=True)
    assert caught.value.code == "E_ONNX_PARITY" and "40 promised" in str(caught.value)
    assert not (tmp_path / "fp16.onnx").exists()


@pytest.mark.parametrize("asked", [{"half": True, "half_weights": True}, {"half": True, "rewrites": False}])
def test_one_precision_at_a_time_and_only_on_rewritten_graphs(asked, tiny_unet, tmp_path):
    with pytest.raises(I2IError) as caught:
        export_onnx(*tiny_unet(), tmp_path / "model.onnx", **asked)
    assert caught.value.code == "E_USAGE"
