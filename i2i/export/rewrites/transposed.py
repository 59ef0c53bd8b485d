"""Transposed convolutions with a stride: onnxruntime's CPU provider neither blocks nor quantises them."""

from __future__ import annotations

import onnx_ir as ir

from i2i.export.rewrites.nodes import Array, Builder, of_kind, setting, square_convolution
from i2i.export.rewrites.subpixel import BLOCK, emit, emit_apart, phases, remainders, sides_of

# Where convolutions that stand apart are faster than a transposed one, on two threads of a processor with AVX-512, as
# tools/bench_layers.py measures it: planes that come in times the side. 16384 gain 7 to 8 %, 8192 lose 4 to 18 %.
LEAST = 2**14


def transposed(graph: ir.Graph, *, even: bool) -> int:
    """ConvTranspose -> Conv (s) + DepthToSpace (+ Slice), where that gains. Returns how many; `even` says nothing here.

    For integers, of which onnxruntime has no transposed ones, wherever it can be done.
    """
    del even
    count = 0
    for node in of_kind(graph, "ConvTranspose"):
        shape = square_convolution(node)
        longer = setting(node, "output_padding", (0, 0))
        source = node.inputs[0]
        if shape is None or source is None or len(set(longer)) > 1 or shape[2] == 1:
            continue
        weight, bias, stride, padding = shape
        sides, builder = sides_of(graph, source), Builder(graph, node)
        if sides is not None and not _gains(weight, stride, sides):
            continue
        how: dict[str, int] = {"stride": stride, "padding": padding, "output_padding": longer[0]}
        if weight.shape[1] >= BLOCK and (parts := remainders(weight, **how)) is not None:
            builder.replace(emit_apart(builder, source, parts, bias))
        elif (form := phases(weight, **how)) is not None:
            builder.replace(emit(builder, source, form, bias, stride=stride))
        else:
            continue
        count += 1
    return count


def _gains(weight: Array, stride: int, sides: tuple[int, int]) -> bool:
    """Whether ordinary convolutions are faster than the taps (in, out, k, k) on planes of these sides."""
    inputs, outputs, size, _ = weight.shape
    return bool(outputs >= BLOCK and size % stride == 0 and inputs * min(sides) >= LEAST)
