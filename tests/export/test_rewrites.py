"""Each rewrite of the graph computes what the graph computed: random weights and shapes, in float64."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from i2i.cli.main import main
from i2i.export.rewrites import REWRITES, rewritten
from i2i.export.rewrites.nodes import prune
from i2i.images.card import ImageCard, NetworkSpec, Sizing
from i2i.networks import NETWORKS
from i2i.runtime.onnx import OnnxSession
from i2i.weights.store import save_model
from tests.export.graphs import HEIGHT, RNG, WIDTH, kinds, model, same


def applied(name: str, made: onnx.ModelProto, *, even: bool = True) -> tuple[onnx.ModelProto, int]:
    whole = ir.from_proto(made)
    count = REWRITES[name](whole.graph, even=even)
    return ir.to_proto(whole), count


def deconvolution(
    kernel: int, stride: int, padding: int, longer: int, *, bias: bool = True, outputs: int = 5
) -> onnx.ModelProto:
    options = {"strides": [stride] * 2, "pads": [padding] * 4, "output_padding": [longer] * 2}
    constants = {"w": RNG.standard_normal((3, outputs, kernel, kernel))}
    constants |= {"b": RNG.standard_normal(outputs)} if bias else {}
    return model([helper.make_node("ConvTranspose", ["x", *constants], ["y"], **options)], constants)


CASES = [
    (kernel, stride, padding, longer)
    for kernel, stride in itertools.product(range(2, 8), (2, 3, 4))
    for padding in range(kernel)
    for longer in range(stride)
    if HEIGHT * stride > 2 * padding
]


@pytest.mark.parametrize("bias", [True, False])
def test_transposed_convolutions_of_every_kernel_stride_and_padding(bias: bool) -> None:
    rewritten_ones = 0
    for case in CASES:
        before = deconvolution(*case, bias=bias)
        after, count = applied("transposed", before)
        rewritten_ones += count
        same(before, after)
        assert ("ConvTranspose" in kinds(after)) == (count == 0), case
    assert rewritten_ones > 0.8 * len(CASES)


@pytest.mark.parametrize("bias", [True, False])
def test_transposed_convolutions_that_fill_blocks_of_planes_stand_apart(bias: bool) -> None:
    aligned = [case for case in CASES if case[0] - 2 * case[2] + case[3] == case[1] and case[1] < 4]
    apart = 0
    for kernel, stride, padding, longer in [*aligned, *CASES[::60]]:
        before = deconvolution(kernel, stride, padding, longer, bias=bias, outputs=16)
        after, _ = applied("transposed", before)
        same(before, after)
        found = Counter(kinds(after))
        assert not found["Concat"] or kernel - 2 * padding + longer == stride
        if found["Concat"]:
            apart += 1
            assert found == {"Conv": stride**2, "Concat": 1, "DepthToSpace": 1}
            shapes = [tensor.dims[2:] for tensor in after.graph.initializer if tensor.name not in ("w", "b")]
            assert sum(math.prod(shape) for shape in shapes if shape) == kernel**2  # no tap twice, and none of zero
    assert apart >= 8


def test_the_usual_transposed_convolution_becomes_a_two_by_two_one_with_four_times_the_planes() -> None:
    after, count = applied("transposed", deconvolution(4, 2, 1, 0))
    assert count == 1
    assert kinds(after) == ["Conv", "DepthToSpace", "Slice"]
    shapes = {tuple(tensor.dims) for tensor in after.graph.initializer}
    assert (20, 3, 2, 2) in shapes


def test_that_of_resnets_needs_nothing_cut_off() -> None:
    after, _ = applied("transposed", deconvolution(3, 2, 1, 1))
    assert kinds(after) == ["Conv", "DepthToSpace"]


def at(side: int, made: onnx.ModelProto, name: str = "transposed") -> int:
    """In how many places a pass rewrites a model that is to be fast for planes of this side."""
    _, counts = rewritten(made, even=True, sides={"x": (side, side)})
    return counts[name]


def to_planes(outputs: int, kernel: int, longer: int = 0, *, inputs: int = 512) -> onnx.ModelProto:
    """A transposed convolution that doubles sides."""
    options = {"strides": [2] * 2, "pads": [1] * 4, "output_padding": [longer] * 2}
    constants = {"w": RNG.standard_normal((inputs, outputs, kernel, kernel))}
    return model([helper.make_node("ConvTranspose", ["x", "w"], ["y"], **options)], constants, channels=inputs)


def test_a_transposed_convolution_stays_where_ordinary_ones_are_slower() -> None:
    usual = to_planes(16, 4)
    assert [at(side, usual) for side in (1, 16, 31, 32, 128)] == [0, 0, 0, 1, 1]  # 512 planes times 32
    assert [at(side, to_planes(16, 4, inputs=128)) for side in (127, 128)] == [0, 1]
    assert rewritten(usual, even=True)[1]["transposed"] == 1  # for integers: whatever it costs
    assert rewritten(usual, even=True, sides={})[1]["transposed"] == 1  # of an unknown size, so a large one


def test_a_transposed_convolution_stays_where_taps_are_uneven_or_planes_do_not_fill_a_block() -> None:
    assert at(128, to_planes(16, 3, 1)) == 0  # 1, 2, 2 and 4 taps
    assert at(128, to_planes(15, 4)) == 0


def test_a_doubling_stays_where_what_takes_its_place_would_multiply_more() -> None:
    # 4 taps at (n + 1)^2 positions for each of four planes, in place of 9 at (2 n)^2.
    assert [at(side, doubled(3, 1, outputs=16), "upsampled") for side in (1, 2, 64)] == [0, 1, 1]


def doubled(
    kernel: int, padding: int, how: tuple[str, str] = ("asymmetric", "floor"), *, outputs: int = 5
) -> onnx.ModelProto:
    options = {"mode": "nearest", "coordinate_transformation_mode": how[0], "nearest_mode": how[1]}
    constants = {"w": RNG.standard_normal((outputs, 3, kernel, kernel)), "b": RNG.standard_normal(outputs)}
    constants["scales"] = np.array([1, 1, 2, 2], np.float32)
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["u"], **options),
        helper.make_node("Conv", ["u", "w", "b"], ["y"], pads=[padding] * 4),
    ]
    return model(nodes, constants)


@pytest.mark.parametrize(
    ("kernel", "padding"), [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 1), (5, 2), (7, 3)]
)
def test_a_doubling_and_its_convolution_become_one(kernel: int, padding: int) -> None:
    before = doubled(kernel, padding)
    after, count = applied("upsampled", before)
    assert count == 1
    same(before, after)
    whole, _ = rewritten(before, even=False)
    assert "Resize" not in kinds(whole)


def test_the_usual_one_meets_four_taps_in_place_of_nine() -> None:
    after, _ = rewritten(doubled(3, 1), even=False)
    assert kinds(after) == ["Conv", "DepthToSpace", "Slice"]
    assert (20, 3, 2, 2) in {tuple(tensor.dims) for tensor in after.graph.initializer}


def test_a_resize_that_does_not_repeat_pixels_is_left_alone() -> None:
    constants = {"w": RNG.standard_normal((5, 3, 3, 3)), "scales": np.array([1, 1, 2, 2], np.float32)}
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["u"], mode="linear"),
        helper.make_node("Conv", ["u", "w"], ["y"], pads=[1] * 4),
    ]
    assert applied("upsampled", model(nodes, constants))[1] == 0
    assert applied("upsampled", doubled(3, 1, ("asymmetric", "ceil")))[1] == 0


def convolution(outputs: int, kernel: int, padding: int, **options: object) -> onnx.ModelProto:
    constants = {"w": RNG.standard_normal((outputs, 3, kernel, kernel)), "b": RNG.standard_normal(outputs)}
    return model([helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[padding] * 4, **options)], constants)


@pytest.mark.parametrize(("outputs", "kernel", "padding"), [(1, 3, 1), (3, 7, 3), (4, 5, 2), (3, 7, 0)])
def test_a_convolution_to_few_planes_makes_two_by_two_pixels_at_once(outputs: int, kernel: int, padding: int) -> None:
    before = convolution(outputs, kernel, padding)
    after, count = applied("narrow", before)
    assert count == 1
    assert kinds(after) == ["Conv", "DepthToSpace"]
    size = {"height": 8, "width": 12}
    same(before, after, **size)


def test_where_sizes_may_be_odd_and_where_there_are_planes_enough_it_stays() -> None:
    assert applied("narrow", convolution(3, 7, 3), even=False)[1] == 0
    assert applied("narrow", convolution(8, 7, 3))[1] == 0
    assert applied("narrow", convolution(3, 3, 1, strides=[2, 2]))[1] == 0
    assert applied("narrow", convolution(3, 4, 1))[1] == 0  # makes odd sizes of even ones


def test_of_convolutions_to_few_planes_only_the_last_is_taken() -> None:
    constants = {"v": RNG.standard_normal((3, 3, 3, 3)), "w": RNG.standard_normal((3, 3, 3, 3))}
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["u"], pads=[1] * 4),
        helper.make_node("Relu", ["u"], ["r"]),
        helper.make_node("Conv", ["r", "w"], ["y"], pads=[1] * 4),
    ]
    before = model(nodes, constants)
    after, count = applied("narrow", before)
    assert count == 1
    assert kinds(after) == ["Conv", "Relu", "Conv", "DepthToSpace"]
    same(before, after)


def conditioned(*, shift_first: bool = False) -> onnx.ModelProto:
    """Scales and shifts of each picture's own planes, (n, 3) each, computed from the planes' largest numbers."""
    constants = {"ones": np.ones(3), "zeros": np.zeros(3), "axes": np.array([2, 3])}
    nodes = [
        helper.make_node("ReduceMax", ["x", "axes"], ["largest"], keepdims=0),
        helper.make_node("Neg", ["largest"], ["least"]),
        helper.make_node("Unsqueeze", ["largest", "axes"], ["scale"]),
        helper.make_node("Unsqueeze", ["least", "axes"], ["shift"]),
        helper.make_node("InstanceNormalization", ["x", "ones", "zeros"], ["n"], epsilon=1e-3),
        helper.make_node("Mul", ["n", "scale"], ["m"]),
        helper.make_node("Add", ["shift", "m"] if shift_first else ["m", "shift"], ["y"]),
    ]
    return model(nodes, constants)


@pytest.mark.parametrize("shift_first", [False, True])
def test_scale_and_shift_of_a_condition_go_into_the_instance_norm(shift_first: bool) -> None:
    before = conditioned(shift_first=shift_first)
    after, count = applied("conditional_norm", before)
    assert count == 1
    found = ir.from_proto(after)
    prune(found.graph)
    assert not {"Mul", "Add"} & {node.op_type for node in found.graph}
    same(before, after)


def test_an_instance_norm_with_a_scale_of_its_own_is_left_alone() -> None:
    made = conditioned()
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full(3, 2.0), "ones"))
    assert applied("conditional_norm", made)[1] == 0


def skipping(activation: str, **options: float) -> onnx.ModelProto:
    """A decoder's step: a convolution laid side by side and cut, beside what came, and the activation behind both."""
    constants = {"w": RNG.standard_normal((12, 3, 1, 1)), "v": RNG.standard_normal((5, 6, 1, 1))}
    constants |= {"zero": np.array([0, 0]), "end": np.array([HEIGHT, WIDTH]), "axes": np.array([2, 3])}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("DepthToSpace", ["c"], ["d"], blocksize=2),
        helper.make_node("Slice", ["d", "zero", "end", "axes"], ["s"]),
        helper.make_node("Concat", ["x", "s"], ["both"], axis=1),
        helper.make_node(activation, ["both"], ["r"], **options),
        helper.make_node("Conv", ["r", "v"], ["y"]),
    ]
    return model(nodes, constants)


@pytest.mark.parametrize(("activation", "options"), [("Relu", {}), ("LeakyRelu", {"alpha": 0.2})])
def test_an_activation_moves_up_to_the_convolution(activation: str, options: dict[str, float]) -> None:
    before = skipping(activation, **options)
    after, count = applied("activations", before)
    assert count == 1
    assert kinds(after) == ["Conv", activation, "DepthToSpace", "Slice", activation, "Concat", "Conv"]
    same(before, after)


def test_an_activation_moves_up_to_every_one_of_convolutions_that_stand_apart() -> None:
    constants = {"w": RNG.standard_normal((3, 16, 4, 4)), "v": RNG.standard_normal((5, 19, 1, 1))}
    constants["double"] = np.array([1, 1, 2, 2], np.float32)
    nodes = [
        helper.make_node("ConvTranspose", ["x", "w"], ["c"], strides=[2, 2], pads=[1] * 4),
        helper.make_node("Resize", ["x", "", "double"], ["skip"]),
        helper.make_node("Concat", ["skip", "c"], ["both"], axis=1),
        helper.make_node("Relu", ["both"], ["r"]),
        helper.make_node("Conv", ["r", "v"], ["y"]),
    ]
    before = model(nodes, constants)
    after, counts = rewritten(before, even=True)
    assert (counts["transposed"], counts["activations"]) == (1, 1)
    same(before, after)
    made_by = {name: node for node in after.graph.node for name in node.output}
    read_by = [made_by[node.input[0]].op_type for node in after.graph.node if node.op_type == "Relu"]
    assert sorted(read_by) == ["Conv"] * 4 + ["Resize"]


def test_an_activation_stays_where_something_else_reads_what_it_reads() -> None:
    made = skipping("Relu")
    made.graph.node.append(helper.make_node("Neg", ["both"], ["z"]))
    made.graph.output.append(helper.make_tensor_value_info("z", TensorProto.DOUBLE, ["n", "k", "height", "width"]))
    assert applied("activations", made)[1] == 0


def normalised(kind: str, *, bias: bool) -> onnx.ModelProto:
    shape = (5, 3, 3, 3) if kind == "Conv" else (3, 5, 3, 3)
    constants = {"w": RNG.standard_normal(shape)} | ({"b": RNG.standard_normal(5)} if bias else {})
    four = {name: RNG.standard_normal(5) for name in ("scale", "shift", "mean")} | {"variance": RNG.random(5) + 0.1}
    nodes = [
        helper.make_node(kind, ["x", *constants], ["c"], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("BatchNormalization", ["c", *four], ["y"], epsilon=1e-3),
    ]
    return model(nodes, constants | four)


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("bias", [True, False])
def test_batch_normalisation_goes_into_the_convolution_before_it(kind: str, bias: bool) -> None:
    before = normalised(kind, bias=bias)
    after, count = applied("batch_norm", before)
    assert count == 1
    assert kinds(after) == [kind]
    same(before, after)


def test_a_convolution_that_others_read_keeps_its_own_values() -> None:
    made = normalised("Conv", bias=True)
    made.graph.node.append(helper.make_node("Relu", ["c"], ["z"]))
    made.graph.output.append(helper.make_tensor_value_info("z", TensorProto.DOUBLE, ["n", "k", "height", "width"]))
    assert applied("batch_norm", made)[1] == 0


def test_grouped_dilated_and_uneven_convolutions_are_left_alone() -> None:
    constants = {"w": RNG.standard_normal((3, 1, 4, 4))}
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], group=3)
    assert applied("transposed", model([node], constants))[1] == 0
    constants = {"w": RNG.standard_normal((3, 2, 4, 4))}
    for options in ({"dilations": [2, 2]}, {"pads": [1, 0, 1, 0]}, {"strides": [2, 1]}, {"output_shape": [13, 21]}):
        node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], **({"strides": [2, 2]} | options))
        assert applied("transposed", model([node], constants))[1] == 0, options


def test_all_passes_together_leave_nothing_unused_and_the_names_of_inputs_and_outputs() -> None:
    before = normalised("ConvTranspose", bias=True)
    after, counts = rewritten(before, even=True)
    assert counts == {
        "batch_norm": 1,
        "transposed": 1,
        "upsampled": 0,
        "narrow": 0,
        "conditional_norm": 0,
        "activations": 0,
        "winograd": 0,
    }
    same(before, after)
    assert [value.name for value in (*after.graph.input, *after.graph.output)] == ["x", "y"]
    used = {name for node in after.graph.node for name in node.input}
    assert {tensor.name for tensor in after.graph.initializer} <= used
    onnx.checker.check_model(after)


def test_a_file_is_rewritten_unless_asked_otherwise(tmp_path: Path) -> None:
    torch.manual_seed(0)
    arguments = {"channels": 4, "depth": 2, "upsampling": "resize"}
    network = NETWORKS["unet"](**arguments)
    spec = NetworkSpec(type="unet", arguments=arguments)
    sizing = Sizing(rule="pad", multiple=4, minimum=4)
    save_model(
        tmp_path / "model", network.eval(), ImageCard(name="tiny", sizing=sizing, network=spec, method="pix2pix")
    )
    fast, plain = (tmp_path / name for name in ("fast.onnx", "plain.onnx"))
    assert main(["export", str(tmp_path / "model"), str(fast)]) == 0
    assert main(["export", str(tmp_path / "model"), str(plain), "--no-rewrites"]) == 0
    found = {path: Counter(kinds(onnx.load(path))) for path in (fast, plain)}
    assert found[plain]["Resize"] == found[fast]["DepthToSpace"] == 2
    assert found[fast]["Resize"] == found[fast]["BatchNormalization"] == 0
    pictures = np.random.default_rng(0).integers(0, 256, (2, 9, 7, 3), np.uint8)
    fast_ones, plain_ones = (OnnxSession(path).run(pictures).astype(int) for path in (fast, plain))
    assert np.abs(fast_ones - plain_ones).max() <= 1
