"""3x3 convolutions of many planes, with a quarter of the multiplications.

Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308, section 4.3, F(4x4, 3x3):
A^T [(G g G^T) * (B^T d B)] A makes 4 x 4 pixels of 6 x 6 with 36 products in place of 144. The products of all planes
are one matrix product for each of the 36 places. In 32 bits the result differs by some 1e-5 of its deviation (by 1e-6
from direct summation); 16 bits are too few for the numbers in between.

The file holds the nine taps: onnxruntime makes the 36 of them once, when it loads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from i2i.export.rewrites.levels import unseen
from i2i.export.rewrites.nodes import Array, Builder, of_kind, square_convolution
from i2i.export.rewrites.subpixel import sides_of

TILE, TAPS = 4, 3
PATCH = TILE + TAPS - 1
# On one and two threads of a processor with AVX-512: 128 planes gain 0 to 20 % at 16 pixels, 30 to 50 % at 32; 256 gain
# 1.5 to 2.2 times, and lose by half at 8 pixels; 64 lose a tenth.
LEAST_PLANES, LEAST_SIDE = 128, 16

# The paper's matrices for the points 0, 1, -1, 2, -2 and infinity.
OF_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float64,
)
OF_TAPS = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64) / 24
OF_OUTPUT = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float64)


def winograd(graph: ir.Graph, *, even: bool) -> int:
    """Conv of 3x3 taps -> products of transformed patches, where that gains. Returns how many; `even` says nothing
    here. Left alone in graphs for integers, which multiply faster.
    """
    del even
    count = 0
    for node in of_kind(graph, "Conv"):
        shape = square_convolution(node)
        source = node.inputs[0]
        sides = None if source is None else sides_of(graph, source)
        if shape is None or source is None or sides is None:
            continue
        weight, bias, stride, padding = shape
        large = min(weight.shape[:2]) >= LEAST_PLANES and min(sides) >= LEAST_SIDE
        if stride != 1 or weight.shape[2] != TAPS or not large:
            continue
        builder = Builder(graph, node)
        output = _emit(builder, source, node.inputs[1], weight, padding)
        if bias is not None and not unseen(node.outputs[0]):
            output = builder.node("Add", [output, builder.constant(bias.reshape(1, -1, 1, 1))])
        builder.replace(output)
        count += 1
    return count


def _emit(builder: Builder, source: ir.Value, taps: ir.Value | None, weight: Array, padding: int) -> ir.Value:
    """The nodes in place of a convolution; returns what it gives without a bias. T x S are the tiles of a picture."""
    outputs, inputs = weight.shape[:2]
    kind = weight.dtype

    def shaped(value: ir.Value, *parts: int | ir.Value) -> ir.Value:
        sizes = [part if isinstance(part, ir.Value) else numbers(part) for part in parts]
        return builder.node("Reshape", [value, builder.node("Concat", sizes, axis=0)])

    def numbers(*values: int) -> ir.Value:
        return builder.constant(np.array(values, np.int64))

    def transformed(matrix: NDArray[np.float64]) -> NDArray[Any]:
        """The matrix on both axes of a square: (rows, rows, columns, columns)."""
        both: NDArray[Any] = np.einsum("ai,bj->abij", matrix, matrix)
        return both.astype(kind)

    places = PATCH * PATCH
    nine = builder.node("Reshape", [taps, numbers(-1, TAPS * TAPS)])
    of_taps = builder.constant(transformed(OF_TAPS).reshape(places, -1).T.copy())
    products = builder.node("Reshape", [builder.node("MatMul", [nine, of_taps]), numbers(1, outputs, inputs, places)])
    factors = builder.node("Transpose", [products], perm=[3, 0, 1, 2])  # 36, 1, out, in

    pictures = builder.node("Shape", [source], start=0, end=1)  # N
    single = builder.node("Reshape", [source, numbers(-1, 1, 0, 0)])  # N * in, 1, H, W
    end = padding + TILE - 1  # the last tile may hang over
    patches = builder.convolution(
        single,
        transformed(OF_INPUT).reshape(places, 1, PATCH, PATCH),
        None,
        pads=[padding] * 2 + [end] * 2,
        strides=[TILE] * 2,
    )  # N * in, 36, T, S
    tiles = builder.node("Shape", [patches], start=2, end=4)
    turned = builder.node("Transpose", [patches], perm=[1, 0, 2, 3])
    values = shaped(turned, places, pictures, inputs, -1)  # 36, N, in, T * S
    summed = builder.node("MatMul", [factors, values])  # 36, N, out, T * S
    of_output = builder.constant(transformed(OF_OUTPUT).reshape(-1, places))
    pixels = builder.node("MatMul", [of_output, builder.node("Reshape", [summed, numbers(places, -1)])])
    apart = shaped(pixels, TILE * TILE, pictures, -1)
    first = builder.node("Transpose", [apart], perm=[1, 0, 2])  # N, 16, out * T * S
    laid = builder.node(
        "DepthToSpace", [shaped(first, pictures, TILE * TILE * outputs, tiles)], blocksize=TILE, mode="DCR"
    )
    wanted = builder.node("Add", [builder.node("Shape", [source], start=2, end=4), numbers(2 * padding - TAPS + 1)])
    return builder.node("Slice", [laid, numbers(0, 0), wanted, numbers(2, 3)])
