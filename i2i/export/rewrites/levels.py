"""Planes whose level nobody sees: instance norms are blind to it, and take the first value off (`InstanceNorm`)."""

from __future__ import annotations

import onnx_ir as ir


def less_their_first(planes: ir.Value) -> list[ir.Node]:
    """The nodes that take a value out of the planes off them, for instance norms alone."""
    users = [use.node for use in planes.uses() if use.node.op_type == "Sub"]
    return [node for node in users if node.inputs[0] is planes and _cut(node.inputs[1], planes) and _normed(node)]


def unseen(planes: ir.Value) -> bool:
    """Whether a number added to all values of a plane changes nothing."""
    blind = set(less_their_first(planes))
    waiting = [use.node for use in planes.uses()]
    while waiting:
        node = waiting.pop()
        if node.op_type == "Slice":
            waiting += [use.node for use in node.outputs[0].uses()]
        elif node not in blind and node.op_type != "InstanceNormalization":
            return False
    return bool(planes.uses()) and not planes.is_graph_output()


def _cut(value: ir.Value | None, planes: ir.Value) -> bool:
    """Whether a value is cut out of the planes."""
    while value is not None and value is not planes:
        node = value.producer()
        if node is None or node.op_type != "Slice":
            return False
        value = node.inputs[0]
    return value is planes


def _normed(node: ir.Node) -> bool:
    """Whether what a node gives goes into instance norms and nowhere else, at most by another shape."""
    value = node.outputs[0]
    users = [use.node for use in value.uses()]
    blind = [user.op_type == "InstanceNormalization" or (user.op_type == "Reshape" and _normed(user)) for user in users]
    return bool(users) and all(blind) and not value.is_graph_output()
