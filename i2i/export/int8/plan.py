"""Which values of a graph become 8-bit numbers, and which of them share one scale.

A *unit* is a node with weights that is computed in integers. Around the units:

* nodes that only move values (`MOVING`) work on the 8-bit numbers themselves: what goes in and what comes out share a
  scale;
* a Relu behind a unit is no node any more: numbers from 0 on are what it leaves;
* an instance norm behind a unit takes its planes as they are: their first value is taken off (see `InstanceNorm`)
  against rounding of the mean, and of that a step of 8-bit numbers leaves nothing;
* any other activation between units is a table of 256 entries (onnxruntime's QLinearLeakyRelu).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import onnx_ir as ir

from i2i.export.rewrites.activations import ACTIVATIONS
from i2i.export.rewrites.levels import less_their_first
from i2i.export.rewrites.nodes import of_kind, prune, setting

MOVING = ("DepthToSpace", "Slice", "Concat", "Gather", "Pad", "Transpose", "Reshape")
LEAST_DENSE = 16_384  # weights from which a dense layer is worth it; those that read a condition have fewer


@dataclass
class Plan:
    """`units` in integers and `moving` nodes on 8-bit numbers; `eight`: the values that exist as such numbers alone.

    The values of a group share one scale (`root` stands for it). A `source` of it is turned into 8-bit numbers where it
    is made; the others are made of those by moving. `positive`: sources that lie behind a Relu.
    """

    units: list[ir.Node]
    moving: list[ir.Node] = field(default_factory=list)
    eight: set[ir.Value] = field(default_factory=set)
    positive: set[ir.Value] = field(default_factory=set)
    parent: dict[ir.Value, ir.Value] = field(default_factory=dict)

    def root(self, value: ir.Value) -> ir.Value:
        """The value that stands for a group."""
        while self.parent[value] is not value:
            value = self.parent[value]
        return value

    def join(self, *values: ir.Value) -> None:
        """Give values one scale."""
        first = self.root(self.parent.setdefault(values[0], values[0]))
        for value in values[1:]:
            self.parent[self.root(self.parent.setdefault(value, value))] = first

    def sources(self) -> list[ir.Value]:
        """The values that are turned into 8-bit numbers where they are made."""
        moved = {value for node in self.moving for value in node.outputs}
        return [value for value in self.parent if value not in moved]

    def groups(self) -> dict[ir.Value, list[ir.Value]]:
        """The sources of each group by its root."""
        found: dict[ir.Value, list[ir.Value]] = {}
        for value in self.sources():
            found.setdefault(self.root(value), []).append(value)
        return found


def units(graph: ir.Graph) -> list[ir.Node]:
    """Every node that can be computed in integers, in the graph's order."""
    return [node for node in of_kind(graph, "Conv", "Gemm") if _is_unit(node)]


def plan(graph: ir.Graph, chosen: Collection[str]) -> Plan:
    """What becomes 8-bit numbers when the units of these names are computed in integers.

    Changes the graph: a Relu right behind a unit is taken away, the plan knows of it; and what takes the first value
    off its planes before a norm.
    """
    made = Plan(units=[node for node in units(graph) if node.name in chosen])
    for planes in _moved_on(graph, made.units):
        for node in less_their_first(planes):
            ir.convenience.replace_all_uses_with(node.outputs[0], planes)
            graph.remove(node, safe=True)
    prune(graph)
    for unit in made.units:
        output = unit.outputs[0]
        if _absorbs(graph, unit):
            made.positive.add(output)
        made.join(output)
        made.eight.add(output)
    for unit in made.units:
        value = unit.inputs[0]
        assert value is not None  # a convolution reads something
        _backward(made, value)
    for node in graph:  # what is moved behind a unit is moved as 8-bit numbers
        if moves(node) and node not in made.moving and _all_made_for(node, made.eight):
            _move(made, node)
        if node in made.moving and all(value in made.eight for value in _data(node)):
            made.eight.update(node.outputs)
        if node.op_type in ACTIVATIONS and node.outputs[0] in made.parent and node.inputs[0] in made.eight:
            made.eight.update(node.outputs)
            _as_table(made, node)
    made.positive |= {value for value in made.parent if _is_relu(value)}
    return made


def moves(node: ir.Node | None) -> bool:
    """Whether a node only moves values; padding does if it repeats values that are there."""
    if node is None or node.op_type not in MOVING:
        return False
    return node.op_type != "Pad" or setting(node, "mode", "constant") in ("reflect", "edge")


def _is_unit(node: ir.Node) -> bool:
    weight = _constant(node.inputs[1])
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if weight is None or (bias is not None and _constant(bias) is None):
        return False
    if node.op_type == "Conv":
        return True
    plain = [setting(node, name, default) for name, default in (("transA", 0), ("alpha", 1.0), ("beta", 1.0))]
    return bias is not None and weight.size >= LEAST_DENSE and setting(node, "transB", 0) == 1 and plain == [0, 1, 1]


def _constant(value: ir.Value | None) -> ir.TensorProtocol | None:
    """What is fixed, unread: weights are large and plans are many."""
    return None if value is None else ir.convenience.get_const_tensor(value)


def _absorbs(graph: ir.Graph, unit: ir.Node) -> bool:
    """Take away a Relu that alone reads a unit."""
    uses = unit.outputs[0].uses()
    if len(uses) != 1 or unit.outputs[0].is_graph_output():
        return False
    user = next(iter(uses)).node
    if user.op_type != "Relu" or user.outputs[0].is_graph_output():
        return False
    ir.convenience.replace_all_uses_with(user.outputs[0], unit.outputs[0])
    graph.remove(user, safe=True)
    return True


def _moved_on(graph: ir.Graph, units: Sequence[ir.Node]) -> set[ir.Value]:
    """What units give, and what is made of that alone by moving."""
    found = {unit.outputs[0] for unit in units}
    for node in graph:
        if moves(node) and found.issuperset(_data(node)):
            found.update(node.outputs)
    return found


def _as_table(made: Plan, node: ir.Node) -> None:
    """Make a leaky Relu of a Relu: of those alone onnxruntime makes tables, of others floats and integers again."""
    if node.op_type == "Relu":
        made.positive.update(node.outputs)
        node.op_type = "LeakyRelu"
        node.attributes["alpha"] = ir.AttrFloat32("alpha", 0.0)


def _is_relu(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and node.op_type == "Relu"


def _backward(made: Plan, value: ir.Value) -> None:
    """8-bit numbers of `value` are needed: make them before whatever moves them, where they are fewest or earliest."""
    node = value.producer()
    made.join(value)
    if node is None or not moves(node) or node in made.moving:
        return
    for given in _data(node):
        _backward(made, given)
    _move(made, node)


def _data(node: ir.Node) -> list[ir.Value]:
    given = node.inputs if node.op_type == "Concat" else node.inputs[:1]
    return [value for value in given if value is not None]


def _all_made_for(node: ir.Node, eight: Collection[ir.Value]) -> bool:
    """Whether all that a node moves is 8-bit numbers; what it joins, of which it alone knows, as of one scale."""
    data = _data(node)
    return all(value in eight for value in data) and (len(data) == 1 or all(len(value.uses()) == 1 for value in data))


def _move(made: Plan, node: ir.Node) -> None:
    made.moving.append(node)
    made.join(node.outputs[0], *_data(node))
