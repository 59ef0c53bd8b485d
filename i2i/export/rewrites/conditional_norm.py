"""Instance normalisation whose scale and shift are computed, from a condition: one node in place of three."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from i2i.export.rewrites.nodes import Builder, known, of_kind, setting


def conditional_norm(graph: ir.Graph, *, even: bool) -> int:
    """InstanceNormalization * scale + shift -> InstanceNormalization with both. Returns how many.

    Its scale and shift are those of a channel and the same for every picture, so the planes of all pictures become the
    channels of one. `even` says nothing here.
    """
    del even
    count = 0
    for node in of_kind(graph, "Add"):
        found = _parts(node)
        if found is None:
            continue
        norm, scale, shift = found
        planes, ones = norm.inputs[0], known(norm.inputs[1])
        assert ones is not None  # it was found plain
        builder = Builder(graph, node)
        flat = builder.constant(np.array([-1], np.int64))
        joined = builder.node("Reshape", [planes, builder.constant(np.array([1, -1, 0, 0], np.int64))])
        both = [builder.node("Reshape", [value, flat]) for value in (scale, shift)]
        normal = builder.node("InstanceNormalization", [joined, *both], epsilon=setting(norm, "epsilon", 1e-5))
        apart = builder.constant(np.array([-1, len(ones), 0, 0], np.int64))
        builder.replace(builder.node("Reshape", [normal, apart]))
        count += 1
    return count


def _parts(add: ir.Node) -> tuple[ir.Node, ir.Value, ir.Value] | None:
    """The plain normalisation, the scales (N, C) and the shifts (N, C) of the sum of a product, if it is of these."""
    for place in (0, 1):
        product, shift = _made_by(add.inputs[place], "Mul"), _spread(add.inputs[1 - place])
        for factor in (0, 1) if product is not None and shift is not None else ():
            assert product is not None and shift is not None  # as above
            norm, scale = _made_by(product.inputs[factor], "InstanceNormalization"), _spread(product.inputs[1 - factor])
            if norm is not None and scale is not None and _is_plain(norm):
                return norm, scale, shift
    return None


def _made_by(value: ir.Value | None, kind: str) -> ir.Node | None:
    """The node of a kind that makes a value for one reader."""
    node = None if value is None else value.producer()
    alone = value is not None and len(value.uses()) == 1 and not value.is_graph_output()
    return node if node is not None and node.op_type == kind and alone else None


def _spread(value: ir.Value | None) -> ir.Value | None:
    """What of (N, C) was made (N, C, 1, 1)."""
    node = None if value is None else value.producer()
    if node is None or node.op_type != "Unsqueeze":
        return None
    axes = known(node.inputs[1])
    return node.inputs[0] if axes is not None and axes.tolist() == [2, 3] else None


def _is_plain(norm: ir.Node) -> bool:
    scale, shift = known(norm.inputs[1]), known(norm.inputs[2])
    return scale is not None and shift is not None and bool(np.all(scale == 1) and np.all(shift == 0))
