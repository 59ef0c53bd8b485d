"""Batch normalisation by running statistics is a scale and a shift, which the convolution before it can do as well."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from i2i.export.rewrites.nodes import Array, Builder, known, of_kind, setting


def batch_norm(graph: ir.Graph, *, even: bool) -> int:
    """Conv or ConvTranspose + BatchNormalization -> the first alone. Returns how many; `even` says nothing here."""
    del even
    count = 0
    for node in of_kind(graph, "BatchNormalization"):
        source = node.inputs[0]
        before = None if source is None else source.producer()
        if source is None or before is None or before.op_type not in ("Conv", "ConvTranspose"):
            continue
        values = [known(value) for value in (*before.inputs[1:3], *node.inputs[1:5])]
        weight, bias = (values[0], values[1]) if len(before.inputs) > 2 else (values[0], None)
        four = values[-4:]
        lost = len(before.inputs) > 2 and before.inputs[2] is not None and bias is None
        alone = len(source.uses()) == 1 and setting(before, "group", 1) == 1 and not source.is_graph_output()
        if weight is None or lost or not alone or any(value is None for value in four):
            continue
        scaled, shifted = folded(weight, bias, four, float(setting(node, "epsilon", 1e-5)), before.op_type)
        builder = Builder(graph, node)
        inputs = [before.inputs[0], builder.constant(scaled), builder.constant(shifted)]
        options = {name: attribute.value for name, attribute in before.attributes.items()}
        builder.replace(builder.node(before.op_type, inputs, **options))
        graph.remove(before, safe=True)
        count += 1
    return count


def folded(
    weight: Array, bias: Array | None, four: list[Array | None], epsilon: float, kind: str
) -> tuple[Array, Array]:
    """Weight and bias of the convolution that also normalises; `four` are scale, shift, mean and variance."""
    scale, shift, mean, variance = (np.asarray(value, np.float64) for value in four)
    factor = scale / np.sqrt(variance + epsilon)
    shape = (1, -1, 1, 1) if kind == "ConvTranspose" else (-1, 1, 1, 1)
    moved = (0.0 if bias is None else bias.astype(np.float64)) - mean
    return (weight * factor.reshape(shape)).astype(weight.dtype), (moved * factor + shift).astype(weight.dtype)
