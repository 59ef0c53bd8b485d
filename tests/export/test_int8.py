"""8-bit integers: which nodes compute in them, what is counted, how layers are chosen, and what is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

import i2i
from i2i.errors import Exit, I2IError
from i2i.export.graph import build
from i2i.export.int8 import quantise as quantisation
from i2i.export.int8 import write as writing
from i2i.export.int8.feeds import LEAST, MOST, WINDOW, of_folder, of_noise, of_pictures
from i2i.export.int8.plan import plan, units
from i2i.export.int8.quantise import Calibration, difference, outputs, quantise, relabelled
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


def plain_card(**changes) -> ImageCard:
    return ImageCard(name="tiny", network=NetworkSpec(type="none"), method="none", **changes)


@pytest.fixture(scope="module")
def made(tiny_unet):
    """A tiny U-Net as graph, and in integers."""
    generator, card = tiny_unet(channels=8)
    model = build(Wrapped(generator, card), arithmetic="int8")
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
    kept = feeds.held_out
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


def test_a_convolution_to_few_planes_is_filled_up_for_the_fast_kernels(made, monkeypatch):
    model, feeds, quantised = made
    assert min(len(weight) for weight in weights(quantised.model)) == 16
    monkeypatch.setattr(writing, "_LEAST_PLANES", 1)
    narrow = quantise(model, Calibration(feeds, psnr=1.0))
    assert min(len(weight) for weight in weights(narrow.model)) < 16
    both = [outputs(each.model, feeds.held_out) for each in (quantised, narrow)]
    assert all(np.array_equal(one, other) for one, other in zip(*both, strict=True))


def normed(network: str, **arguments):
    """A network with instance norms as a graph for integers, and its card."""
    torch.manual_seed(0)
    generator = NETWORKS[network](**arguments).eval()
    card = plain_card(sizing=Sizing(multiple=generator.multiple, minimum=generator.minimum))
    return build(Wrapped(generator, card), arithmetic="int8"), card


def test_integers_go_into_instance_norms_with_their_level_and_a_layer_in_float_without():
    model, card = normed("resnet", channels=8, blocks=1)
    feeds = of_pictures(card, pictures(side=32))
    kinds = Counter(node.op_type for node in model.graph.node)
    whole = Counter(node.op_type for node in quantise(model, Calibration(feeds, psnr=1.0)).model.graph.node)
    norms = kinds["InstanceNormalization"]
    assert norms == whole["InstanceNormalization"] == 7
    assert whole["Sub"] == kinds["Sub"] - norms
    names = [node.name for node in units(ir.from_proto(model).graph)]
    part = ir.from_proto(model)
    plan(part.graph, names[1:])
    assert sum(node.op_type == "Sub" for node in part.graph) == kinds["Sub"] - norms + 1


def test_a_picture_of_one_colour_stays_one_in_integers():
    model, card = normed("resnet", channels=8, blocks=1)
    quantised = quantise(model, Calibration(of_pictures(card, pictures(side=32)), psnr=1.0))
    (found,) = outputs(quantised.model, [{"image": np.full((1, 40, 48, 3), 77, np.uint8)}])
    assert np.ptp(found, axis=(1, 2)).max() == 0


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


def test_too_few_pictures_are_refused():
    with pytest.raises(I2IError, match=r"3 pictures to calibrate; .* give at least 4") as caught:
        of_pictures(plain_card(), pictures(3))
    assert caught.value.code == "E_QUANTISATION"


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


def test_its_time_stands_beside_that_of_the_file_in_float(tiny_unet, tmp_path, monkeypatch):
    generator, card = tiny_unet(channels=8)
    kinds, times = [], []
    timed = quantisation.milliseconds

    def noted(models, feed):
        kinds.extend(Counter(node.op_type for node in model.graph.node) for model in models)
        return timed(models, feed)

    monkeypatch.setattr(quantisation, "milliseconds", noted)
    calibration = Calibration(of_pictures(card, pictures()), psnr=20.0, on_speed=lambda *both: times.append(both))
    export_onnx(generator, card, tmp_path / "int8.onnx", calibration=calibration)
    export_onnx(generator, card, tmp_path / "fp32.onnx")
    plain = Counter(node.op_type for node in onnx.load(tmp_path / "fp32.onnx").graph.node)
    assert kinds[0] == plain and plain["ConvTranspose"] == 2  # of so few planes none is rewritten in float
    assert kinds[1]["ConvTranspose"] == 0 and kinds[1]["QuantizeLinear"] > 0
    assert len(times) == 1 and min(times[0]) > 0


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
    made = quantise(build(Wrapped(network, card), arithmetic="int8"), Calibration(feeds, psnr=1.0))
    assert (made.floating, made.layers) == ((), 8)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
@pytest.mark.parametrize("mixed", [False, True])
def test_every_domain_is_counted_and_held_out_however_few_pictures_there_are(count, mixed):
    names = tuple(f"d{number}" for number in range(count))
    card = plain_card(condition=Condition(kind="domains", names=names, mixed=mixed))
    for feeds in (of_pictures(card, pictures(4)), of_pictures(card, pictures(12))):
        for side in (feeds.counted, feeds.held_out):
            told = [feed["condition"].argmax() if mixed else feed["domain"][0] for feed in side]
            assert set(told) == set(range(count))


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_every_member_of_an_exclusive_group_is_counted_and_held_out(count):
    names = ("age", *(f"g{number}" for number in range(count)))
    condition = Condition(kind="attributes", names=names, exclusive_groups=(names[1:],))
    latents = of_noise(plain_card(condition=condition, latent=5, sizing=Sizing(rule="fixed", width=8, height=8)))
    for feeds in (of_pictures(plain_card(condition=condition), pictures(4)), latents):
        for side in (feeds.counted, feeds.held_out):
            rows = np.concatenate([feed["condition"] for feed in side])
            assert set(rows[:, 1:].argmax(1)) == set(range(count))
            assert (rows[:, 1:].sum(1) == 1).all()


def test_noise_that_is_held_out_was_not_counted():
    feeds = of_noise(plain_card(latent=5, sizing=Sizing(rule="fixed", width=8, height=8)))
    assert (len(feeds.counted), len(feeds.held_out)) == (MOST * 3 // 4, MOST // 4)
    assert len({feed["latent"].tobytes() for side in (feeds.counted, feeds.held_out) for feed in side}) == MOST


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


def test_a_pixel_has_another_label_where_any_channel_of_its_colour_differs():
    red, yellow = np.full((1, 5, 8, 3), (255, 0, 0), np.uint8), np.full((1, 2, 8, 3), (255, 255, 0), np.uint8)
    other = red.copy()
    other[0, 2, :4, 1] = 255  # 4 pixels of 40, in 4 bytes of 120
    assert relabelled([red], [other]) == 0.1
    assert relabelled([red, yellow], [other, yellow]) == pytest.approx(4 / 56)


def test_labels_are_judged_by_the_share_that_differs_and_not_by_their_colours(tiny_unet, tmp_path, monkeypatch):
    # Two names a level apart: any mistake at all has a PSNR above 48 dB.
    labels = Pixels(colour="labels", palette=((0, 0, 0), (1, 1, 1)))
    generator, card = tiny_unet(channels=8, target=labels)
    feeds = of_pictures(card, pictures())
    path = tmp_path / "model.onnx"
    export_onnx(generator, card, path, calibration=Calibration(feeds, psnr=99.0))
    precision = i2i.load(path).card.precision
    assert (precision.psnr, precision.largest_difference) == (None, None) and 0 <= precision.relabelled < 0.01
    assert f"{100 * precision.relabelled:.2f} % of the pixels have another label than in fp32" in str(precision)

    monkeypatch.setattr("i2i.export.int8.quantise.MOST_RELABELLED", 0.0)
    with pytest.raises(
        I2IError, match=r"gives \d+\.\d\d % of the pixels another label, less than 0 % wanted"
    ) as caught:
        export_onnx(generator, card, tmp_path / "other.onnx", calibration=Calibration(feeds, psnr=1.0))
    assert caught.value.code == "E_QUANTISATION" and not (tmp_path / "other.onnx").exists()


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


def write_noise(folder, sizes) -> list[np.ndarray]:
    """A picture (H, W) of each size, in the order of their names; no two pixels in a row of one are alike elsewhere."""
    folder.mkdir()
    random = np.random.default_rng(0)
    made = [random.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    for number, picture in enumerate(made):
        (folder / f"{number:03}.png").write_bytes(encode(picture, format="png"))
    return made


def rows(feeds) -> list[bytes]:
    """The first eight pixels of each row of every window: what tells where a window was."""
    return [row[:8].tobytes() for feed in feeds for row in feed["image"][0]]


def test_a_folder_of_few_pictures_gives_several_windows_each_and_holds_whole_pictures_out(tmp_path):
    made = write_noise(tmp_path / "few", [(2 * WINDOW + 40, 3 * WINDOW)] * 5)
    feeds = of_folder(plain_card(), tmp_path / "few")
    assert (len(feeds.counted), len(feeds.held_out)) == (LEAST * 3 // 4, 6)  # 6 fit into the one that is held out
    assert {feed["image"].shape for feed in feeds.counted} == {(1, WINDOW, WINDOW, 3)}
    seen = rows(feeds.counted) + rows(feeds.held_out)
    assert len(set(seen)) == len(seen)  # none twice
    outside = {
        made[3][top, left : left + 8].tobytes() for top in range(2 * WINDOW + 40) for left in range(2 * WINDOW + 1)
    }
    assert set(rows(feeds.held_out)) <= outside and outside.isdisjoint(rows(feeds.counted))


def test_small_pictures_come_once_each(tmp_path):
    made = write_noise(tmp_path / "small", [(20, 24)] * 9)
    feeds = of_folder(plain_card(), tmp_path / "small")
    found = [feed["image"].tobytes() for side in (feeds.counted, feeds.held_out) for feed in side]
    assert found == [made[number].tobytes() for number in (0, 1, 2, 4, 5, 6, 8, 3, 7)]


@pytest.mark.parametrize("size", [(1200, 600), (500, 1100)], ids=["high", "wide"])
def test_of_one_large_picture_other_pixels_are_held_out_than_are_counted(size, tmp_path):
    (whole,) = write_noise(tmp_path / "one", [size])
    feeds = of_folder(plain_card(), tmp_path / "one")
    longer = max(size)
    part = whole[: longer * 3 // 4] if size[0] == longer else whole[:, : longer * 3 // 4]
    first = {part[top, left : left + 8].tobytes() for top in range(part.shape[0]) for left in range(part.shape[1] - 7)}
    assert feeds.counted and feeds.held_out
    assert set(rows(feeds.counted)) <= first and first.isdisjoint(rows(feeds.held_out))


def test_few_pictures_that_are_too_small_to_be_divided_are_refused_with_the_remedy(tmp_path):
    write_noise(tmp_path / "small", [(300, 511)])
    with pytest.raises(
        I2IError, match=r"1 picture to calibrate; .*at least 4, or pictures of 512 .* 511x300"
    ) as caught:
        of_folder(plain_card(), tmp_path / "small")
    assert caught.value.code == "E_QUANTISATION"
    with pytest.raises(I2IError, match="holds no pictures"):
        of_folder(plain_card(), _empty(tmp_path))


def test_a_model_that_resizes_gets_whole_pictures_and_one_of_a_fixed_size_no_other(tmp_path):
    write_noise(tmp_path / "mixed", [(16, 24)] * 3 + [(17, 24)])
    feeds = of_folder(plain_card(sizing=Sizing(rule="resize", width=24, height=16)), tmp_path / "mixed")
    assert [feed["image"].shape for feed in feeds.held_out] == [(1, 17, 24, 3)]
    with pytest.raises(I2IError, match=r"24x17; this model takes only 24x16") as caught:
        of_folder(plain_card(sizing=Sizing(rule="fixed", width=24, height=16)), tmp_path / "mixed")
    assert caught.value.code == "E_SIZE" and "003.png" in str(caught.value)


def _empty(folder):
    made = folder / "empty"
    made.mkdir()
    return made
