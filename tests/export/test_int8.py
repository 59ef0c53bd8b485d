"""8-bit integers: which nodes compute in them, what is counted, how layers are chosen, and what is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import i2i
from i2i.errors import Exit, I2IError
from i2i.export.graph import build
from i2i.export.int8.feeds import WINDOW, of_folder, of_noise, of_pictures, window
from i2i.export.int8.quantise import Calibration, difference, outputs, quantise
from i2i.export.int8.ranges import BINS, Histogram, merged, step_and_zero
from i2i.export.onnx import export_onnx
from i2i.export.parity import scene
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.images.encode import encode
from i2i.networks import NETWORKS
from i2i.weights.wrapper import Wrapped

RGB = Pixels()


def pictures(count: int = 12, side: int = 24) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [scene(side, side + 8, RGB, random) for _ in range(count)]


@pytest.fixture(scope="module")
def made(tiny_unet):
    """A tiny U-Net as graph, and in integers."""
    generator, card = tiny_unet(channels=8)
    model = build(Wrapped(generator, card))
    feeds = of_pictures(card, pictures())
    return model, feeds, quantise(model, Calibration(feeds, psnr=1.0))


def run_by_onnxruntime(model: onnx.ModelProto, folder) -> Counter[str]:
    """The kinds of nodes that onnxruntime really runs."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(folder / "optimised.onnx"), 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(folder / "optimised.onnx").graph.node)


def weights(model: onnx.ModelProto) -> list[np.ndarray]:
    found = [numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    return [value for value in found if value.dtype == np.int8 and value.ndim == 4]


def test_every_layer_and_what_lies_between_them_is_run_in_integers(made, tmp_path):
    model, _, quantised = made
    convolutions = sum(node.op_type == "Conv" for node in model.graph.node)
    assert (quantised.floating, quantised.layers) == ((), convolutions)
    kinds = run_by_onnxruntime(quantised.model, tmp_path)
    assert kinds["QLinearConv"] == convolutions == 4
    assert kinds["Conv"] == kinds["FusedConv"] == kinds["Relu"] == kinds["LeakyRelu"] == 0
    # The picture once, and the planes before the last Tanh once back; no number in between is a float.
    assert kinds["QuantizeLinear"] == kinds["DequantizeLinear"] == 1
    onnx.checker.check_model(quantised.model)


def test_the_integers_give_nearly_the_same_pictures(made):
    model, feeds, quantised = made
    kept = feeds[3::4]
    error, largest = difference(outputs(model, kept), outputs(quantised.model, kept))
    assert quantised.psnr == pytest.approx(10 * np.log10(255**2 / error))
    assert quantised.largest_difference == largest
    assert quantised.held_out == 3
    assert quantised.psnr > 25


def test_weights_have_7_bits_for_any_processor_and_8_for_one_with_vnni(made):
    model, feeds, quantised = made
    full = quantise(model, Calibration(feeds, target="vnni", psnr=1.0))
    assert [int(np.abs(value.astype(int)).max()) for value in weights(quantised.model)] == [64] * 4
    assert [int(np.abs(value.astype(int)).max()) for value in weights(full.model)] == [127] * 4
    # No pair of products leaves 16 bits.
    assert 2 * 255 * 64 <= np.iinfo(np.int16).max < 2 * 255 * 65


def test_the_worst_layers_stay_in_float_until_it_is_good_enough(made):
    model, feeds, quantised = made
    better = quantise(model, Calibration(feeds, psnr=quantised.psnr + 0.1))
    assert 0 < len(better.floating) < better.layers
    assert better.psnr >= quantised.psnr + 0.1


def test_what_cannot_be_good_enough_is_refused_with_the_figure(made):
    model, feeds, _ = made
    with pytest.raises(
        I2IError, match=r"reaches a PSNR of \d+\.\d dB to fp32, 99 wanted.*--int8-psnr \d+ accepts it"
    ) as caught:
        quantise(model, Calibration(feeds, psnr=99.0))
    assert (caught.value.code, caught.value.exit_code) == ("E_QUANTISATION", Exit.REFUSED)


def test_too_few_pictures_are_refused(made):
    model, feeds, _ = made
    with pytest.raises(I2IError, match="3 pictures to calibrate; give at least 4"):
        quantise(model, Calibration(feeds[:3]))


def test_the_card_in_the_file_says_what_it_computes_in(tiny_unet, tmp_path):
    generator, card = tiny_unet(channels=8)
    path, times = tmp_path / "model.onnx", []
    feeds = of_pictures(card, pictures())
    report = export_onnx(
        generator, card, path, calibration=Calibration(feeds, psnr=20.0, on_speed=lambda *both: times.append(both))
    )
    assert report.failed == ()
    precision = i2i.load(path).card.precision
    assert (precision.arithmetic, precision.weights, precision.target) == ("int8", "int8", "any")
    assert precision.psnr >= 20 and precision.layers == (4, 4)
    assert "4 of 4 layers, 7-bit weights, for any CPU; PSNR to fp32" in str(precision)
    assert len(times) == 1 and min(times[0]) > 0
    assert i2i.load(path)(pictures()[0]).shape == (24, 32, 3)


def test_a_model_with_domains_is_calibrated_over_all_of_them(shake):
    arguments = {"channels": 4, "blocks": 1, "condition_channels": 3}
    network = shake(NETWORKS["stargan"](**arguments))
    card = ImageCard(
        name="tiny",
        sizing=Sizing(multiple=4, minimum=8),
        condition=Condition(kind="domains", names=("a", "b", "c")),
        network=NetworkSpec(type="stargan", arguments=arguments),
        method="none",
    )
    feeds = of_pictures(card, pictures())
    assert [int(feed["domain"][0]) for feed in feeds] == [0, 1, 2] * 4
    assert {int(feed["domain"][0]) for feed in feeds[3::4]} == {0, 1, 2}  # the proof sees all of them too
    made = quantise(build(Wrapped(network, card)), Calibration(feeds, psnr=1.0))
    assert (made.floating, made.layers) == ((), 8)


def test_a_generator_from_noise_is_calibrated_with_noise(shake, tmp_path):
    arguments = {"in_channels": 5, "out_channels": 3, "channels": 8, "size": 16}
    network = shake(NETWORKS["dcgan"](**arguments))
    card = ImageCard(
        name="tiny",
        latent=5,
        sizing=Sizing(rule="fixed", width=16, height=16),
        network=NetworkSpec(type="dcgan", arguments=arguments),
        method="gan",
    )
    path = tmp_path / "model.onnx"
    export_onnx(network, card, path, calibration=Calibration(of_noise(card), psnr=15.0))
    assert i2i.load(path).card.precision.arithmetic == "int8"


def test_a_graph_without_convolutions_is_refused(made):
    model = onnx.ModelProto()
    model.CopyFrom(made[0])
    del model.graph.node[:]
    with pytest.raises(I2IError, match="no convolution with fixed weights"):
        quantise(model, Calibration(made[1]))


def test_a_histogram_counts_as_if_all_numbers_had_been_there_at_once():
    random = np.random.default_rng(0)
    parts = [random.normal(0, scale, 5000).astype(np.float32) for scale in (0.1, 3.0, 0.7, 40.0)]
    one, whole = Histogram(), Histogram()
    for part in parts:
        one.add(part)
    whole.add(np.concatenate(parts))
    assert one.reach == whole.reach and one.counts.sum() == 20_000
    assert (one.low, one.high) == (whole.low, whole.high)
    # Bins that were joined put a number into a neighbour at most, by rounding.
    assert np.abs(np.cumsum(one.counts) - np.cumsum(whole.counts)).max() <= 5
    assert one.counts.nbytes == 8 * BINS
    assert merged([one, whole]).counts.sum() == 40_000


def test_a_range_leaves_out_single_far_numbers_and_holds_zero():
    histogram = Histogram()
    histogram.add(np.random.default_rng(0).normal(5, 1, 1_000_000).astype(np.float32))
    histogram.add(np.array([60.0], np.float32))
    low, high = histogram.limits()
    assert low == 0.0 and 9 < high < 12
    assert step_and_zero(-1.0, 3.0) == (np.float32(4 / 255), np.uint8(64))
    assert step_and_zero(0.0, 0.0)[0] > 0


def test_behind_a_relu_the_whole_range_is_for_what_it_leaves():
    histogram = Histogram()
    histogram.add(np.linspace(-8, 2, 100_000).astype(np.float32))
    low, high = histogram.positive().limits()
    assert low == 0.0 and high == pytest.approx(2.0, abs=0.01)


def test_a_folder_gives_windows_where_the_model_takes_any_size(tmp_path, tiny_unet):
    _, card = tiny_unet()
    large = np.random.default_rng(0).integers(0, 256, (WINDOW + 40, 30, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(encode(large, format="png"))
    feeds = of_folder(card, tmp_path)
    assert len(feeds) == 32  # few pictures give several windows
    assert {feed["image"].shape for feed in feeds} == {(1, WINDOW, 30, 3)}
    assert (feeds[0]["image"][0] == window(large, 0)).all()
    assert not (feeds[0]["image"] == feeds[1]["image"]).all()
    resized = card.model_copy(update={"sizing": Sizing(rule="resize", width=24, height=16)})
    assert [feed["image"].shape for feed in of_folder(resized, tmp_path)] == [(1, WINDOW + 40, 30, 3)]
    with pytest.raises(I2IError, match="holds no pictures"):
        of_folder(card, _empty(tmp_path))


def _empty(folder):
    made = folder / "empty"
    made.mkdir()
    return made
