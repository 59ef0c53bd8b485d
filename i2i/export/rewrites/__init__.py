"""The table of rewrites: passes over an exported graph that make it faster and compute the same.

Contract (checked over every entry): a pass is a function (graph of onnx_ir, `even`: whether all sizes inside are
multiples of 2) that changes the graph in place and returns in how many places. They run in the table's order. Under
`nodes.SIDES` the graph's meta holds how large the planes are for which it is to be fast, where only gains are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from i2i.tables import Table

if TYPE_CHECKING:
    import onnx_ir as ir
    from onnx import ModelProto

REWRITES = Table(
    "rewrite",
    {
        "batch_norm": "i2i.export.rewrites.batch_norm:batch_norm",
        "transposed": "i2i.export.rewrites.transposed:transposed",
        "upsampled": "i2i.export.rewrites.upsampled:upsampled",
        "narrow": "i2i.export.rewrites.narrow:narrow",
        "conditional_norm": "i2i.export.rewrites.conditional_norm:conditional_norm",
        "activations": "i2i.export.rewrites.activations:activations",
        "winograd": "i2i.export.rewrites.winograd:winograd",
    },
)


# The runtime gives norms the statistics of a whole picture, which it cannot give to these.
NOT_IN_TILES = ("conditional_norm",)
# Their numbers in between are too large or too many for 16 bits.
NOT_IN_HALF = ("winograd",)


def rewritten(
    model: ModelProto,
    *,
    even: bool,
    tiled: bool = False,
    half: bool = False,
    sides: Mapping[str, tuple[int, int]] | None = None,
    finish: Callable[[ir.Graph], Any] | None = None,
) -> tuple[ModelProto, dict[str, int]]:
    """A model after every pass and after `finish`, and in how many places each pass did something.

    `tiled`: without the passes after which large pictures can no longer be translated in tiles. `half`: without those
    that need 32 bits.
    `sides`: height and width of the planes that go into convolutions and doublings, by name, at the size for which the
    model is to be fast: then they are rewritten only where that gains; without, wherever it can be done.
    """
    import onnx_ir as ir

    from i2i.export.rewrites.nodes import SIDES, prune

    whole = ir.from_proto(model)
    if sides is not None:
        whole.graph.meta[SIDES] = sides
    left_out = {*(NOT_IN_TILES if tiled else ()), *(NOT_IN_HALF if half else ())}
    chosen = [name for name in REWRITES if name not in left_out]
    counts = {name: REWRITES[name](whole.graph, even=even) for name in chosen}
    prune(whole.graph)
    if finish is not None:
        finish(whole.graph)
    return ir.to_proto(whole), counts
