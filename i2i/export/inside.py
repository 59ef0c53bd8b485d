"""What lies inside a graph: its values as outputs, and how large planes are in it at the size that it works at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from i2i.export.parity import Probe
from i2i.images.card import ImageCard
from i2i.runtime.conditions import drawn
from i2i.runtime.onnx import failures

if TYPE_CHECKING:
    from onnx import ModelProto

Sides = dict[str, tuple[int, int]]  # height and width of planes [N, C, H, W], by the name of the value

USUAL = 128  # pixels of a side, where the card does not say at which size a model works


def with_outputs(model: ModelProto, names: Iterable[str]) -> ModelProto:
    """A copy that also gives these values."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    there = {value.name for value in copy.graph.output}
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in there)
    return copy


def working_size(card: ImageCard) -> tuple[int, int]:
    """Height and width of the picture for which a graph is made fast: the card's, or, where any will do, the least
    that the network takes, of `USUAL` pixels or more.
    """
    sizing = card.sizing
    if sizing.height is not None and sizing.width is not None:
        return sizing.height, sizing.width
    side = max(sizing.minimum, USUAL)
    side += -side % sizing.multiple
    return side, side


def sides(model: ModelProto, card: ImageCard) -> Sides:
    """The sizes of the planes that go into each convolution at the working size, as onnxruntime finds them.

    Empty when it cannot run the graph; the proof of parity then says why.
    """
    import onnxruntime

    wanted = sorted(
        {node.input[0] for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")}
        | {node.input[0] for node in model.graph.node if node.op_type == "Resize"}
    )
    if not wanted:
        return {}
    size = (1, card.latent) if card.latent is not None else (1, *working_size(card), card.source.channels)
    source = np.zeros(size, np.uint8 if card.latent is None else np.float32)
    feed = Probe(source, *drawn(card, 1, seed=0)).inputs(card)
    try:
        data = with_outputs(model, wanted).SerializeToString()
        found = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(wanted, feed)
    except failures():
        return {}
    return {name: planes.shape[2:] for name, planes in zip(wanted, found, strict=True) if planes.ndim == 4}
