"""A graph that computes in 16-bit floating point numbers, for GPUs and for size: half of it, and half the traffic.

Pictures go in and come out as before. Convolutions, dense layers, activations and what moves values between them are in
16 bits. In 32 bits stay normalisations by an instance's statistics, sums over a plane, sizing, and the way from and to
pictures: there numbers are added up that 16 bits cannot hold apart.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from i2i.export.rewrites.nodes import PREFIX, Builder, known, prune

_WEIGHTED = ("Conv", "ConvTranspose")
# Nodes that follow a 16-bit value in 16 bits, and which of their inputs are such values (None: all).
_FOLLOWING: dict[str, int | None] = {
    "Relu": 1,
    "LeakyRelu": 1,
    "Tanh": 1,
    "DepthToSpace": 1,
    "Slice": 1,
    "Pad": 1,
    "Resize": 1,
    "Transpose": 1,
    "Reshape": 1,
    "Concat": None,
    "Add": None,
}
_LARGEST = 65504.0


def in_half(graph: ir.Graph) -> int:
    """Compute in 16 bits what may be; returns how many nodes do."""
    graph.meta[PREFIX] = "fp16"
    halves: dict[ir.Value, ir.Value] = {}  # by value that was in 32 bits
    nodes = list(graph)
    last = _last_planes(nodes)
    count = 0
    for node in nodes:
        places = _places(node, halves)
        if not places or node.outputs[0] in last:
            continue
        builder = Builder(graph, node)
        inputs = [
            _half(builder, value, halves) if place in places else value for place, value in enumerate(node.inputs)
        ]
        options = {name: attribute.value for name, attribute in node.attributes.items()}
        halves[node.outputs[0]] = builder.node(node.op_type, inputs, **options)
        count += 1
    for value, half in halves.items():
        _widen(graph, value, half, halves)
    prune(graph)
    return count


def _places(node: ir.Node, halves: dict[ir.Value, ir.Value]) -> set[int]:
    """Which inputs of a node are to be in 16 bits; none where it stays as it is."""
    if node.op_type in _WEIGHTED:
        return {place for place, value in enumerate(node.inputs) if value is not None}
    if node.op_type not in _FOLLOWING:
        return set()
    places = range(len(node.inputs))[: _FOLLOWING[node.op_type]]
    if not any(node.inputs[place] in halves for place in places):
        return set()
    if node.op_type == "Pad" and len(node.inputs) > 2 and node.inputs[2] is not None:
        return {0, 2}
    return set(places)


def _last_planes(nodes: list[ir.Node]) -> set[ir.Value]:
    """What is left in 32 bits at the end: the last Tanh and what moves its planes."""
    for node in reversed(nodes):
        if node.op_type == "Tanh":
            return {node.outputs[0]}
    return set()


def _half(builder: Builder, value: ir.Value | None, halves: dict[ir.Value, ir.Value]) -> ir.Value | None:
    if value is None:
        return None
    if value in halves:
        return halves[value]
    constant = known(value)
    if constant is not None:
        return builder.constant(np.clip(constant, -_LARGEST, _LARGEST).astype(np.float16))
    return builder.node("Cast", [value], to=ir.DataType.FLOAT16)


def _widen(graph: ir.Graph, value: ir.Value, half: ir.Value, halves: dict[ir.Value, ir.Value]) -> None:
    """Let what still reads `value`, in 32 bits, read the 16-bit numbers."""
    readers = [use for use in value.uses() if use.node.outputs[0] not in halves]
    if readers:
        following = min((use.node for use in readers), key=list(graph).index)
        wide = Builder(graph, following).node("Cast", [half], to=ir.DataType.FLOAT)
        for use in readers:
            use.node.replace_input_with(use.idx, wide)
