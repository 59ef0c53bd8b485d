"""A doubling by the nearest pixel and the convolution behind it: four of nine taps meet equal pixels.

Together they are a transposed convolution with one more tap each way, whose weights are sums of theirs.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from i2i.export.rewrites.nodes import Array, Builder, known, of_kind, setting, square_convolution
from i2i.export.rewrites.subpixel import Phases, emit, filled, phases, sides_of

DOUBLED = "i2i.doubled"  # in a graph's meta: the weights (out, in, k, k) that stood behind a doubling


def upsampled(graph: ir.Graph, *, even: bool) -> int:
    """Resize x 2 + Conv -> Conv + DepthToSpace (+ Slice), where that gains. Returns how many; `even` says nothing
    here.
    """
    del even
    count = 0
    for node in of_kind(graph, "Conv"):
        source = node.inputs[0]
        doubling = None if source is None else source.producer()
        shape = square_convolution(node)
        if doubling is None or shape is None or not _doubles(doubling):
            continue
        weight, bias, stride, padding = shape
        back = weight.shape[-1] - 1 - padding
        if stride != 1 or back < 0:
            continue
        form = phases(joint(weight), stride=2, padding=back, output_padding=0)
        low = doubling.inputs[0]
        if form is None or low is None or not _gains(form, weight, sides_of(graph, low)):
            continue
        builder = Builder(graph, node)
        builder.replace(emit(builder, low, form, bias, stride=2))
        graph.meta.setdefault(DOUBLED, []).append(weight)
        count += 1
    return count


def _gains(form: Phases, weight: Array, sides: tuple[int, int] | None) -> bool:
    """Whether a form multiplies no more than the taps (out, in, k, k) do behind a doubling of planes of these sides;
    both are ordinary convolutions (None: whatever it costs).
    """
    if sides is None:
        return True
    outputs, _, size, _ = weight.shape
    return form.multiplications(sides) <= 4 * filled(outputs) * int(size * size) * sides[0] * sides[1]


def joint(weight: Array) -> Array:
    """Taps (in, out, k + 1, k + 1) of the transposed convolution, from those (out, in, k, k) behind the doubling."""
    turned = weight[:, :, ::-1, ::-1].astype(np.float64)
    wide = np.pad(turned, ((0, 0), (0, 0), (1, 1), (1, 1)))
    tall = wide[:, :, 1:] + wide[:, :, :-1]
    both = tall[:, :, :, 1:] + tall[:, :, :, :-1]
    return np.ascontiguousarray(both.transpose(1, 0, 2, 3)).astype(weight.dtype)


def laid(weight: Array) -> Array | None:
    """The weight of the convolution at the low resolution, of one (out, in, k, k) that keeps the size; None if none."""
    back = weight.shape[-1] - 1 - weight.shape[-1] // 2
    form = phases(joint(weight), stride=2, padding=back, output_padding=0)
    return None if form is None else form.weight


def _doubles(node: ir.Node) -> bool:
    """Whether a node repeats every pixel twice in each direction."""
    if node.op_type != "Resize" or setting(node, "mode", "nearest") != "nearest" or len(node.inputs) < 3:
        return False
    scales = known(node.inputs[2])
    how = setting(node, "coordinate_transformation_mode", "half_pixel"), setting(node, "nearest_mode", "")
    if scales is None or scales.tolist() != [1.0, 1.0, 2.0, 2.0]:
        return False
    return how in {("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"), ("half_pixel", "round_prefer_ceil")}
