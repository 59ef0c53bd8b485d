"""Weights that are 16-bit numbers, stored as such; computed in 32 bits all the same.

A weight that has been through a rewrite is no longer one: a batch normalisation multiplied each plane by a factor, a
doubling added up taps. Then the 16-bit weight is stored with what was done to it, as nodes without inputs, which
onnxruntime carries out once when it loads the file. What comes out equals the weight to the last bits of 32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import onnx_ir as ir
from torch import nn

from i2i.export.rewrites.nodes import PREFIX, Array, Builder, prune
from i2i.export.rewrites.upsampled import DOUBLED, laid

LEAST = 256  # numbers from which storing them in half saves more than it costs
_ROUNDING = 2.0**-20  # of a factor with its root, a product and a sum of four in 32 bits


def factors(network: nn.Module) -> list[Array]:
    """By what the batch normalisations of a network multiply the planes of the convolutions before them."""
    found = []
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_var is not None:
            scale = np.ones(part.num_features) if part.weight is None else part.weight.detach().double().numpy()
            found.append(scale / np.sqrt(part.running_var.double().numpy() + part.eps))
    return found


def stored_in_half(graph: ir.Graph, *, factors: Sequence[Array]) -> tuple[int, int]:
    """Store every large float32 constant in 16 bits that loses nothing by it; the bytes stored before and after.

    `factors`: those of `factors`, one of which each convolution may have been multiplied by.
    """
    graph.meta[PREFIX] = "half"
    doubled: Sequence[Array] = graph.meta.get(DOUBLED, ())
    before = _bytes(graph)
    for value in list(graph.initializers.values()):
        tensor = value.const_value
        if tensor is None or tensor.dtype != ir.DataType.FLOAT or tensor.size < LEAST:
            continue
        weight = tensor.numpy()
        builder = Builder(graph, graph[0])
        made = _scaled(builder, weight, factors)
        if made is None:
            made = _doubled(builder, weight, factors, doubled)
        if made is not None:
            ir.convenience.replace_all_uses_with(value, made)
    prune(graph)
    return before, _bytes(graph)


def _scaled(builder: Builder, weight: Array, factors: Sequence[Array]) -> ir.Value | None:
    """A weight as 16-bit numbers, or those times a factor for each plane that comes out."""
    if _equal(_half(weight), weight):
        return builder.node("Cast", [builder.constant(_half(weight))], to=ir.DataType.FLOAT)
    for column in _columns(weight, factors):
        numbers = _half(weight / column)
        if _equal(numbers.astype(np.float32) * column, weight):
            wide = builder.node("Cast", [builder.constant(numbers)], to=ir.DataType.FLOAT)
            return builder.node("Mul", [wide, builder.constant(column)])
    return None


def _columns(weight: Array, factors: Sequence[Array]) -> Iterator[Array]:
    """The factors as they lie along the planes that come out: the first axis, the second of transposed convolutions."""
    for factor in factors if weight.ndim == 4 else ():
        for axis in (0, 1):
            if weight.shape[axis] % len(factor) == 0 and np.all(factor):
                column = np.tile(factor.astype(np.float32), weight.shape[axis] // len(factor))
                yield column.reshape([-1 if place == axis else 1 for place in range(4)])


def _doubled(builder: Builder, weight: Array, factors: Sequence[Array], doubled: Sequence[Array]) -> ir.Value | None:
    """A weight that is a sum of taps of one behind a doubling: that one, and which taps are summed."""
    for source in doubled:
        outputs, inputs, size, _ = source.shape
        form = laid(source)
        if form is None or not np.array_equal(form, weight):
            continue
        given = _scaled(builder, source, factors)
        if given is None:
            return None
        sums = _sums(size)  # (taps before, phases, taps after)
        flat = builder.node("Reshape", [given, builder.constant(np.array([-1, size * size]))])
        every = builder.node("MatMul", [flat, builder.constant(sums.reshape(len(sums), -1))])
        shape = np.array([outputs, inputs, sums.shape[1], sums.shape[2]])
        split = builder.node("Reshape", [every, builder.constant(shape)])
        turned = builder.node("Transpose", [split], perm=[2, 0, 1, 3])
        return builder.node("Reshape", [turned, builder.constant(np.array(weight.shape))])
    return None


def _sums(size: int) -> Array:
    """Which of `size` x `size` taps each tap behind the rewrite is the sum of: 0 and 1, float32 (s * s, 4, k * k)."""
    each = np.eye(size * size, dtype=np.float32).reshape(-1, 1, 1, size, size)
    forms = [laid(one) for one in each]
    return np.stack([form.reshape(4, -1) for form in forms if form is not None])


def _half(weight: Array) -> Array:
    with np.errstate(over="ignore"):
        return weight.astype(np.float16)


def _equal(found: Array, weight: Array) -> bool:
    return bool(np.all(np.abs(found.astype(np.float32) - weight) <= _ROUNDING * np.abs(weight)))


def _bytes(graph: ir.Graph) -> int:
    return sum(value.const_value.nbytes for value in graph.initializers.values() if value.const_value is not None)
