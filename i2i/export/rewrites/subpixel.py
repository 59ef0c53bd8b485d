"""A transposed convolution as an ordinary one at the low resolution, whose planes are then laid side by side.

Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?", arXiv 1609.07009. Output pixel
s q + r - c of a transposed convolution with stride s sees the inputs q - j with the taps s j + r + b: for each of the
s * s remainders r an ordinary convolution. `c` pixels at either end are more than is wanted and are cut off.

What it costs. A transposed convolution is a matrix product, k * k * out multiplications for each input pixel and
plane, whose results are then added up where they overlap. The usual one (k = 4, s = 2, padding 1) becomes a 2 x 2
convolution to 4 * out planes, as many multiplications for each of its positions; but of those there are (n + 1)^2 on a
side of n pixels, since each end of the output needs one more: 4 times as many for n = 1, 1.56 for 4, 1.27 for 8, 1.13
for 16. Where k is no multiple of s, taps of zero are multiplied as well: 16 in place of 9 for k = 3. And onnxruntime
works on planes in blocks of 8 or 16: 12 planes cost as much as 16. Behind the multiplications the planes are put in
order, laid side by side and cut: some passes over the output, which weigh the more the fewer planes come in, as each
pixel of the output takes k * k / (s * s) multiplications a plane.

Where the output is s times as long as the input, the s * s convolutions may also stand apart, each with pads and taps
of its own: nothing is multiplied that a transposed convolution does not, neither beyond the border nor by zero, and
nothing is cut. Each has to fill blocks of planes by itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from i2i.export.rewrites.nodes import SIDES, Builder

Weights = NDArray[np.floating]

BLOCK = 16  # planes
_LARGE = 2**16  # pixels of a side of which nothing is known: no border to speak of


class Phases(NamedTuple):
    """An ordinary convolution (weight (s * s * out, in, k, k), padding before and after), and how many pixels to cut
    off at the start and at the end of what is laid side by side.
    """

    weight: Weights
    before: int
    after: int
    cut: tuple[int, int]

    def multiplications(self, sides: tuple[int, int]) -> int:
        """How many it does for each plane that comes in, of these sides (height, width)."""
        taps = int(self.weight.shape[-1])
        height, width = (side + self.before + self.after - taps + 1 for side in sides)
        return filled(len(self.weight)) * taps * taps * height * width


def filled(planes: int) -> int:
    """As how many planes so many are computed: whole blocks."""
    return planes + -planes % BLOCK


def sides_of(graph: ir.Graph, planes: ir.Value | None) -> tuple[int, int] | None:
    """Height and width of planes for which a graph is to be fast; None where it is to be rewritten anyhow."""
    known = graph.meta.get(SIDES)
    if known is None:
        return None
    height, width = known.get("" if planes is None else planes.name, (_LARGE, _LARGE))
    return height, width


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


class Remainder(NamedTuple):
    """The convolution that makes the pixels with one remainder in each direction: weight (out, in, a, b), and pads at
    the top, left, bottom and right.
    """

    weight: Weights
    pads: tuple[int, int, int, int]


def remainders(weight: Weights, *, stride: int, padding: int, output_padding: int) -> list[Remainder] | None:
    """A transposed convolution (in, out, k, k) as one for each pair of remainders, row by row; None where the output is
    not `stride` times as long as the input, or a remainder meets no tap or none at its own place.
    """
    size = weight.shape[-1]
    if size - 2 * padding + output_padding != stride:
        return None
    steps = [_steps(remainder + padding, stride, size) for remainder in range(stride)]
    if not all(row and row[0] >= 0 >= row[-1] for row in steps):
        return None
    taps = [[stride * step + remainder + padding for step in row] for remainder, row in enumerate(steps)]
    return [
        Remainder(
            np.ascontiguousarray(weight[:, :, taps[down]][..., taps[right]].swapaxes(0, 1)),
            (steps[down][0], steps[right][0], -steps[down][-1], -steps[right][-1]),
        )
        for down in range(stride)
        for right in range(stride)
    ]


def _steps(start: int, stride: int, size: int) -> list[int]:
    """How many places back the inputs lie that a remainder meets, the farthest first."""
    return list(range((size - 1 - start) // stride, -(start // stride) - 1, -1))


def emit_apart(builder: Builder, source: ir.Value, parts: list[Remainder], bias: Weights | None) -> ir.Value:
    """Write the nodes of the convolutions that stand apart; returns the output."""
    made = [builder.convolution(source, part.weight, bias, pads=part.pads, strides=[1, 1]) for part in parts]
    blocksize = round(len(parts) ** 0.5)
    return builder.node("DepthToSpace", [builder.node("Concat", made, axis=1)], blocksize=blocksize, mode="DCR")


def emit(builder: Builder, source: ir.Value, form: Phases, bias: Weights | None, *, stride: int) -> ir.Value:
    """Write the nodes of a form; returns the output."""
    pads = [form.before, form.before, form.after, form.after]
    repeated = None if bias is None else np.tile(bias, stride * stride)
    low = builder.convolution(source, form.weight, repeated, pads=pads, strides=[1, 1])
    high = builder.node("DepthToSpace", [low], blocksize=stride, mode="DCR")
    return builder.cut(high, *form.cut) if any(form.cut) else high
