"""Transposed convolutions with a stride: onnxruntime's CPU provider neither blocks nor quantises them."""

from __future__ import annotations

import onnx_ir as ir

from i2i.export.rewrites.nodes import Builder, of_kind, setting, square_convolution
from i2i.export.rewrites.subpixel import emit, phases


def transposed(graph: ir.Graph, *, even: bool) -> int:
    """ConvTranspose -> Conv + DepthToSpace (+ Slice). Returns how many were rewritten; `even` says nothing here."""
    del even
    count = 0
    for node in of_kind(graph, "ConvTranspose"):
        shape = square_convolution(node)
        longer = setting(node, "output_padding", (0, 0))
        if shape is None or len(set(longer)) > 1:
            continue
        weight, bias, stride, padding = shape
        form = phases(weight, stride=stride, padding=padding, output_padding=longer[0]) if stride > 1 else None
        if form is None:
            continue
        builder = Builder(graph, node)
        source = node.inputs[0]
        assert source is not None
        builder.replace(emit(builder, source, form, bias, stride=stride))
        count += 1
    return count
