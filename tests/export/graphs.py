"""Tiny graphs in float64 that a rewrite is tried on, and what they compute."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 6, 10


def model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], channels: int = 3) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["n", "k", "height", "width"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def run(made: onnx.ModelProto, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    channels = made.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    planes = np.random.default_rng(1).standard_normal((2, channels, height, width))
    (result,) = ReferenceEvaluator(made).run(None, {"x": planes})
    return result


def kinds(made: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in made.graph.node]


def same(before: onnx.ModelProto, after: onnx.ModelProto, **size: int) -> None:
    expected = run(before, **size)
    found = run(after, **size)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()
