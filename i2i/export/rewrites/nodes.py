"""Small tools for passes over a graph: what a node is, and writing new ones in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

Array = NDArray[Any]
END = np.iinfo(np.int64).max
PREFIX = "i2i.prefix"  # in a graph's meta: how the names of new nodes begin; not as those of an earlier reading
SIDES = "i2i.sides"  # in a graph's meta: height and width of planes by the name of a value


class Builder:
    """Writes the nodes that take the place of `node`, before it."""

    def __init__(self, graph: ir.Graph, node: ir.Node) -> None:
        self._graph = graph
        self._node = node
        self._numbers = graph.meta.setdefault("i2i.rewrites", count(1))  # one for all passes: no name comes twice

    def node(self, kind: str, inputs: Sequence[ir.Value | None], **attributes: Any) -> ir.Value:
        """A node of one output."""
        name = self._name(kind)
        made = ir.node(kind, inputs, attributes, outputs=[ir.Value(name=name)], name=name)
        self._graph.insert_before(self._node, made)
        return made.outputs[0]

    def constant(self, values: Array) -> ir.Value:
        """A tensor that the file holds."""
        name = self._name("constant")
        value = ir.Value(name=name, const_value=ir.tensor(values, name=name))
        self._graph.register_initializer(value)
        return value

    def convolution(
        self, source: ir.Value, weight: Array, bias: Array | None, *, pads: Sequence[int], strides: Sequence[int]
    ) -> ir.Value:
        """A convolution with weights (out, in, k, k)."""
        inputs = [source, self.constant(weight), *([] if bias is None else [self.constant(bias)])]
        kernel = list(weight.shape[2:])
        return self.node("Conv", inputs, kernel_shape=kernel, pads=list(pads), strides=list(strides))

    def cut(self, planes: ir.Value, start: int, end: int) -> ir.Value:
        """Without the first `start` and the last `end` rows and columns."""
        numbers = ([start, start], [-end if end else END] * 2, [2, 3])
        return self.node("Slice", [planes, *(self.constant(np.array(values, np.int64)) for values in numbers)])

    def first(self, planes: ir.Value, count: int) -> ir.Value:
        """The first `count` planes."""
        numbers = ([0], [count], [1])
        return self.node("Slice", [planes, *(self.constant(np.array(values, np.int64)) for values in numbers)])

    def replace(self, output: ir.Value) -> None:
        """Give what the node gave to `output`, and take the node away."""
        old = self._node.outputs[0]
        if old.is_graph_output():  # programs know it by its name
            old.name, output.name = output.name, old.name
            output.type, output.shape = old.type, old.shape
        ir.convenience.replace_all_uses_with(old, output, replace_graph_outputs=True)
        self._graph.remove(self._node, safe=True)

    def _name(self, kind: str) -> str:
        return f"{self._graph.meta.get(PREFIX, 'rewritten')}_{kind.lower()}_{next(self._numbers)}"


def of_kind(graph: ir.Graph, *kinds: str) -> Iterator[ir.Node]:
    """The nodes of these kinds, as they are now: the graph may be changed meanwhile."""
    yield from [node for node in graph if node.op_type in kinds]


def known(value: ir.Value | None) -> Array | None:
    """What a constant holds; None for what is computed."""
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return None if tensor is None else tensor.numpy()


def setting(node: ir.Node, name: str, default: Any) -> Any:
    """An attribute, lists as tuples."""
    attribute = node.attributes.get(name)
    value = default if attribute is None else attribute.value
    return tuple(value) if isinstance(value, (list, tuple)) else value


def square_convolution(node: ir.Node) -> tuple[Array, Array | None, int, int] | None:
    """Weight, bias, stride and padding of a two-dimensional convolution, transposed or not, that is the same in both
    directions and at both ends, not grouped, not dilated, with weights in the file; None for any other.
    """
    weight = known(node.inputs[1])
    has_bias = len(node.inputs) > 2 and node.inputs[2] is not None
    bias = known(node.inputs[2]) if has_bias else None
    if weight is None or weight.ndim != 4 or weight.shape[2] != weight.shape[3] or (has_bias and bias is None):
        return None
    strides, pads = setting(node, "strides", (1, 1)), setting(node, "pads", (0, 0, 0, 0))
    plain = setting(node, "group", 1) == 1 and setting(node, "dilations", (1, 1)) == (1, 1)
    automatic = setting(node, "auto_pad", "NOTSET") != "NOTSET" or "output_shape" in node.attributes
    if not plain or automatic or len(set(strides)) > 1 or len(set(pads)) > 1:
        return None
    return weight, bias, strides[0], pads[0]


def prune(graph: ir.Graph) -> None:
    """Take away nodes and constants that nothing uses."""
    for node in reversed(list(graph)):
        if not any(value.uses() or value.is_graph_output() for value in node.outputs):
            graph.remove(node, safe=True)
    for name in [
        name for name, value in graph.initializers.items() if not value.uses() and not value.is_graph_output()
    ]:
        del graph.initializers[name]
