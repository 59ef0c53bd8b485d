"""Convolutions to very few planes: they leave most of a processor's vector empty."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from i2i.export.rewrites.nodes import Array, Builder, of_kind, square_convolution

MOST = 4  # planes out; from 16 on a vector is full


def narrow(graph: ir.Graph, *, even: bool) -> int:
    """Conv to few planes -> Conv with stride 2 to four times as many + DepthToSpace, where sizes are even.

    Each position of the new one makes two by two pixels with a kernel that is one larger. Only the last convolutions
    are taken, which work at the size of the picture. Returns how many.
    """
    count = 0
    for node in of_kind(graph, "Conv") if even else ():
        shape = square_convolution(node)
        source = node.inputs[0]
        if shape is None or source is None:
            continue
        weight, bias, stride, padding = shape
        size = weight.shape[-1]
        # An even kernel gives an odd size, and so may planes that are convolved on.
        if stride != 1 or weight.shape[0] > MOST or size < 3 or size % 2 == 0 or convolved_on(node):
            continue
        builder = Builder(graph, node)
        repeated = None if bias is None else np.tile(bias, 4)
        low = builder.convolution(source, shifted(weight), repeated, pads=[padding] * 4, strides=[2, 2])
        builder.replace(builder.node("DepthToSpace", [low], blocksize=2, mode="DCR"))
        count += 1
    return count


def convolved_on(node: ir.Node) -> bool:
    """Whether what a node gives reaches another convolution."""
    waiting, seen = [node], set[ir.Node]()
    while waiting:
        for value in waiting.pop().outputs:
            for user, _ in value.uses():
                if user.op_type in ("Conv", "ConvTranspose"):
                    return True
                if user not in seen:
                    seen.add(user)
                    waiting.append(user)
    return False


def shifted(weight: Array) -> Array:
    """Four copies of the taps, (4 * out, in, k + 1, k + 1), one for each place of two by two pixels."""
    size = weight.shape[-1] + 1
    copies = np.zeros((2, 2, *weight.shape[:2], size, size), weight.dtype)
    for down in range(2):
        for right in range(2):
            copies[down, right, :, :, down : down + size - 1, right : right + size - 1] = weight
    return copies.reshape(-1, weight.shape[1], size, size)
