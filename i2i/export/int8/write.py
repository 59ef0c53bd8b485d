"""A plan carried out: QuantizeLinear and DequantizeLinear in the graph, which onnxruntime joins with the node between
them into one that computes in integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from i2i.export.int8.plan import Plan
from i2i.export.rewrites.nodes import Array, Builder, known, prune, setting

_LARGEST_BIAS = 2**30
# onnxruntime's fast integer convolutions make at least so many planes; one to fewer takes the detour over a matrix of
# all patches, several times as long.
_LEAST_PLANES = 16


class Scale(NamedTuple):
    """How the 8-bit numbers of a group are read: (number - zero) * step."""

    step: np.float32
    zero: np.uint8


class _Writer:
    def __init__(self, graph: ir.Graph, made: Plan, scales: Mapping[ir.Value, Scale]) -> None:
        self._graph = graph
        self._plan = made
        self._scales = scales
        self._outputs: dict[ir.Value, int] = {}  # by what a unit gives: how many planes
        self._filled: set[ir.Value] = set()  # what units give that make more planes than are wanted
        self._constants: dict[ir.Value, list[ir.Value]] = {}
        self.numbers: dict[ir.Value, ir.Value] = {}  # the 8-bit numbers of a value

    def scale(self, value: ir.Value) -> Scale:
        return self._scales[self._plan.root(value)]

    def quantise(self, value: ir.Value, before: ir.Node) -> None:
        """Make the 8-bit numbers of a value, right before a node."""
        builder = Builder(self._graph, before)
        made = builder.node("QuantizeLinear", [value, *self._scaled(value, before)])
        self.numbers[value] = builder.first(made, self._outputs[value]) if value in self._filled else made

    def move(self, node: ir.Node) -> None:
        """The same node on 8-bit numbers."""
        builder = Builder(self._graph, node)
        parts = self._laid_parts(node)
        if parts:
            made = _laid(builder, parts, setting(node, "blocksize", 1), self._outputs[parts[0]], self.numbers)
        else:
            given = [self.numbers.get(value, value) if value is not None else None for value in node.inputs]
            options = {name: attribute.value for name, attribute in node.attributes.items()}
            made = builder.node(node.op_type, given, **options)
        self.numbers[node.outputs[0]] = made

    def read(self, node: ir.Node, place: int) -> None:
        """Let a node read 8-bit numbers in place of what it read."""
        value = node.inputs[place]
        assert value is not None  # it has numbers
        given = [self.numbers[value], *self._scaled(value, node)]
        node.replace_input_with(place, Builder(self._graph, node).node("DequantizeLinear", given))

    def weights(self, unit: ir.Node, step: np.float32, largest: int) -> None:
        """8-bit weights of a unit, each plane of the output with a scale of its own, and its bias in 32 bits."""
        weight = known(unit.inputs[1])
        assert weight is not None  # a unit
        bias = known(unit.inputs[2]) if len(unit.inputs) > 2 else None
        self._outputs[unit.outputs[0]] = len(weight)
        if len(weight) < _LEAST_PLANES and unit.op_type == "Conv" and setting(unit, "group", 1) == 1:
            self._filled.add(unit.outputs[0])
            weight, bias = _filled(weight), None if bias is None else _filled(bias)
        numbers, steps = _weights(weight, bias, step, largest)
        builder = Builder(self._graph, unit)
        zeros = np.zeros(len(steps), np.int8)
        given = [builder.constant(values) for values in (numbers, steps, zeros)]
        unit.replace_input_with(1, builder.node("DequantizeLinear", given, axis=0))
        if bias is not None:
            units = steps * step
            given = [builder.constant(values) for values in (np.round(bias / units).astype(np.int32), units)]
            unit.replace_input_with(2, builder.node("DequantizeLinear", given, axis=0))

    def _laid_parts(self, node: ir.Node) -> list[ir.Value]:
        """What one unit, or one for each place of a block, gives to be laid side by side; nothing for other nodes."""
        if node.op_type != "DepthToSpace" or setting(node, "mode", "DCR") != "DCR":
            return []
        source = node.inputs[0]
        producer = None if source is None else source.producer()
        whole = [source] if producer is None or producer.op_type != "Concat" else list(producer.inputs)
        parts = [value for value in whole if value is not None and value in self._outputs]
        return parts if len(parts) == len(whole) and len(parts) in (1, setting(node, "blocksize", 1) ** 2) else []

    def _scaled(self, value: ir.Value, node: ir.Node) -> list[ir.Value]:
        root = self._plan.root(value)
        if root not in self._constants:
            builder = Builder(self._graph, node)
            self._constants[root] = [builder.constant(np.asarray(part)) for part in self._scales[root]]
        return self._constants[root]


def write(graph: ir.Graph, made: Plan, scales: Mapping[ir.Value, Scale], *, largest: int) -> None:
    """Carry out a plan on its graph. `scales` by each group's root; `largest`: the greatest weight as an integer."""
    writer = _Writer(graph, made, scales)
    for unit in made.units:
        value = unit.inputs[0]
        assert value is not None  # a convolution reads something
        writer.weights(unit, writer.scale(value).step, largest)
    _write_numbers(graph, made, writer)
    moving, reading = set(made.moving), {unit: unit.inputs[0] for unit in made.units}
    for node in [node for node in graph if node not in moving and node.op_type != "QuantizeLinear"]:
        for place, value in enumerate(node.inputs):
            if value in writer.numbers and (value in made.eight or reading.get(node) is value):
                writer.read(node, place)
    prune(graph)


def _write_numbers(graph: ir.Graph, made: Plan, writer: _Writer) -> None:
    sources = set(made.sources())
    nodes = list(graph)
    made_before = [value for value in sources if value.producer() is None]
    for value in sorted(made_before, key=lambda value: str(value.name)):
        writer.quantise(value, nodes[0])
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        if node in made.moving:
            writer.move(node)
        for value in node.outputs:
            if value in sources:
                assert following is not None  # the last node gives the picture
                writer.quantise(value, following)


def _laid(
    builder: Builder, parts: list[ir.Value], block: int, planes: int, numbers: Mapping[ir.Value, ir.Value]
) -> ir.Value:
    """DepthToSpace as onnxruntime's integer convolutions like it, which keep the planes of a position side by side.

    The two outer transpositions go away against those around it, and what lies between them moves whole positions: an
    ordinary DepthToSpace moves single bytes. `planes`: of one part.
    """

    def shaped(value: ir.Value, *shape: int) -> ir.Value:
        return builder.node("Reshape", [value, builder.constant(np.array(shape, np.int64))])

    last = [builder.node("Transpose", [numbers[part]], perm=[0, 2, 3, 1]) for part in parts]
    if len(parts) == 1:
        planes //= block**2
        apart = shaped(last[0], 0, 0, 0, block, -1)  # n, h, w, down, (right, planes)
        rows = builder.node("Transpose", [apart], perm=[0, 1, 3, 2, 4])  # n, h, down, w, (right, planes)
    else:
        each = [builder.node("Concat", last[down * block : (down + 1) * block], axis=3) for down in range(block)]
        two = builder.constant(np.array([2], np.int64))
        rows = builder.node("Concat", [builder.node("Unsqueeze", [row, two]) for row in each], axis=2)  # the same
    tall = shaped(rows, 0, -1, 1, 0, block * planes)
    wide = shaped(tall, 0, 0, -1, planes)
    return builder.node("Transpose", [wide], perm=[0, 3, 1, 2])


def _filled(values: Array) -> Array:
    """With zeros for the planes that are missing."""
    return np.pad(values, [(0, _LEAST_PLANES - len(values)), *[(0, 0)] * (values.ndim - 1)])


def _weights(weight: Array, bias: Array | None, step: np.float32, largest: int) -> tuple[Array, Array]:
    """Weights as integers of `-largest` to `largest`, and the steps of each plane, float32."""
    rows = weight.reshape(len(weight), -1)
    steps = np.abs(rows).max(1).astype(np.float64) / largest
    if bias is not None:  # so that the bias fits 32 bits
        steps = np.maximum(steps, np.abs(bias) / (float(step) * _LARGEST_BIAS))
    steps = np.maximum(steps, 1e-12).astype(np.float32)
    numbers = np.clip(np.round(rows / steps[:, None]), -largest, largest)
    return numbers.astype(np.int8).reshape(weight.shape), steps
