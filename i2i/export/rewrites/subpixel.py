"""A transposed convolution as an ordinary one at the low resolution, whose planes are then laid side by side.

Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?", arXiv 1609.07009. Output pixel
s q + r - c of a transposed convolution with stride s sees the inputs q - j with the taps s j + r + b: for each of the
s * s remainders r an ordinary convolution. `c` pixels at either end are more than is wanted and are cut off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from i2i.export.rewrites.nodes import Builder

Weights = NDArray[np.floating]


class Phases(NamedTuple):
    """An ordinary convolution (weight (s * s * out, in, k, k), padding before and after), and how many pixels to cut
    off at the start and at the end of what is laid side by side.
    """

    weight: Weights
    before: int
    after: int
    cut: tuple[int, int]

    def multiplications(self, sides: tuple[int, int]) -> int:
        """How many it does on a plane of these sides for one plane of the result."""
        phases_, taps = len(self.weight), self.weight.shape[-1]
        height, width = (side + self.before + self.after - taps + 1 for side in sides)
        return phases_ * taps * taps * height * width


def phases(weight: Weights, *, stride: int, padding: int, output_padding: int) -> Phases | None:
    """The cheapest form of a transposed convolution with square taps (in, out, k, k); None where there is none."""
    forms = [_form(weight, stride, padding, output_padding, cut) for cut in dict.fromkeys((0, padding))]
    found = [form for form in forms if form is not None]
    return min(found, key=lambda form: (form.weight.shape[-1], sum(form.cut)), default=None)


def _form(weight: Weights, stride: int, padding: int, output_padding: int, cut: int) -> Phases | None:
    """The form that makes `cut` pixels too many at the start."""
    size = weight.shape[-1]
    start = padding - cut
    last = (size - 1 - start) // stride
    first = -((stride - 1 + start) // stride)
    # The output is `stride` times as long as the input and `longer` pixels more.
    longer = size + output_padding - stride - 2 * padding
    positions = -(-(longer + cut) // stride)
    after = positions - first
    if last < 0 or after < 0:
        return None
    taps = np.arange(last, first - 1, -1)[:, None] * stride + np.arange(stride) + start  # (j, r)
    inside = (taps >= 0) & (taps < size)
    picked = weight[:, :, np.where(inside, taps, 0)][..., np.where(inside, taps, 0)]  # in, out, j, r, j, r
    picked = picked * (inside[:, :, None, None] & inside[None, None])
    inputs, outputs = weight.shape[:2]
    laid = picked.transpose(3, 5, 1, 0, 2, 4).reshape(stride * stride * outputs, inputs, len(taps), len(taps))
    return Phases(laid.astype(weight.dtype), last, after, (cut, stride * positions - longer - cut))


def emit(builder: Builder, source: ir.Value, form: Phases, bias: Weights | None, *, stride: int) -> ir.Value:
    """Write the nodes of a form; returns the output."""
    pads = [form.before, form.before, form.after, form.after]
    repeated = None if bias is None else np.tile(bias, stride * stride)
    low = builder.convolution(source, form.weight, repeated, pads=pads, strides=[1, 1])
    high = builder.node("DepthToSpace", [low], blocksize=stride, mode="DCR")
    return builder.cut(high, *form.cut) if any(form.cut) else high
