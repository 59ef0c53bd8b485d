"""Transposed convolutions with a stride: onnxruntime's CPU provider neither blocks nor quantises them."""

from __future__ import annotations

import onnx_ir as ir

from i2i.export.rewrites.nodes import Array, Builder, of_kind, setting, square_convolution
from i2i.export.rewrites.subpixel import LEAST_PLANES, MOST, Phases, emit, phases, sides_of


def transposed(graph: ir.Graph, *, even: bool) -> int:
    """ConvTranspose -> Conv + DepthToSpace (+ Slice), where that gains. Returns how many; `even` says nothing here."""
    del even
    count = 0
    for node in of_kind(graph, "ConvTranspose"):
        shape = square_convolution(node)
        longer = setting(node, "output_padding", (0, 0))
        if shape is None or len(set(longer)) > 1:
            continue
        weight, bias, stride, padding = shape
        form = phases(weight, stride=stride, padding=padding, output_padding=longer[0]) if stride > 1 else None
        if form is None or not _gains(form, weight, sides_of(graph, node.inputs[0])):
            continue
        builder = Builder(graph, node)
        source = node.inputs[0]
        assert source is not None
        builder.replace(emit(builder, source, form, bias, stride=stride))
        count += 1
    return count


def _gains(form: Phases, weight: Array, sides: tuple[int, int] | None) -> bool:
    """Whether a form is no slower than the taps (in, out, k, k) on planes of these sides (None: whatever it costs)."""
    if sides is None:
        return True
    inputs, outputs, size, _ = weight.shape
    return (
        inputs >= LEAST_PLANES
        and form.multiplications(sides) <= MOST * int(outputs * size * size) * sides[0] * sides[1]
    )
