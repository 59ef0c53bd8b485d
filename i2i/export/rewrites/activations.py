"""Activations behind nodes that only move values: moved up to the convolution, which does them while it writes."""

from __future__ import annotations

import onnx_ir as ir

from i2i.export.rewrites.nodes import Builder, of_kind

ACTIVATIONS = ("Relu", "LeakyRelu")
_MOVING = ("DepthToSpace", "Slice")


def activations(graph: ir.Graph, *, even: bool) -> int:
    """Conv (+ DepthToSpace, Slice, Concat) + activation -> Conv + activation (+ ...). Returns how many were moved.

    Of a Concat each part gets its own, if a convolution makes one of them for it alone; `even` says nothing here.
    """
    del even
    count = 0
    for node in of_kind(graph, *ACTIVATIONS):
        path = _path(node.inputs[0])
        if not path:
            continue
        last = path[-1]
        for place, part in enumerate(last.inputs[:1] if last.op_type != "Concat" else last.inputs):
            assert part is not None  # neither leaves an input out
            _place_behind(graph, part, node, last, place)
        ir.convenience.replace_all_uses_with(node.outputs[0], path[0].outputs[0], replace_graph_outputs=True)
        graph.remove(node, safe=True)
        count += 1
    return count


def _place_behind(graph: ir.Graph, part: ir.Value, activation: ir.Node, mover: ir.Node, place: int) -> None:
    """The activation on what comes in at a place of `mover`: beside a convolution, or several, where there are any."""
    inner = _path(part)
    if inner and inner[-1].op_type == "Concat":
        for inside, value in enumerate(inner[-1].inputs):
            assert value is not None  # a Concat leaves none out
            _place_behind(graph, value, activation, inner[-1], inside)
        return
    user, place = (inner[-1], 0) if inner else (mover, place)
    given = user.inputs[place]
    builder = Builder(graph, user)
    options = {name: attribute.value for name, attribute in activation.attributes.items()}
    user.replace_input_with(place, builder.node(activation.op_type, [given], **options))


def _path(value: ir.Value | None) -> list[ir.Node]:
    """The moving nodes between a convolution and what reads `value`, from below, which nothing else reads.

    Empty unless they lead to a convolution; a Concat is the last of them, and one of its parts leads to one.
    """
    path: list[ir.Node] = []
    while value is not None and len(value.uses()) == 1 and not value.is_graph_output():
        node = value.producer()
        if node is None:
            return []
        if node.op_type == "Conv":
            return path
        if node.op_type == "Concat":
            return [*path, node] if any(_leads_to_convolution(part) for part in node.inputs) else []
        if node.op_type not in _MOVING:
            return []
        path.append(node)
        value = node.inputs[0]
    return []


def _leads_to_convolution(value: ir.Value | None) -> bool:
    """Whether a part of a Concat comes from a convolution that makes it for this alone."""
    while value is not None and len(value.uses()) == 1 and not value.is_graph_output():
        node = value.producer()
        if node is None or node.op_type not in (*_MOVING, "Conv", "Concat"):
            return False
        if node.op_type == "Conv":
            return True
        if node.op_type == "Concat":
            return any(_leads_to_convolution(part) for part in node.inputs)
        value = node.inputs[0]
    return False
