"""The ONNX graph of a translator: traced from the torch module that the torch session runs, then cleaned for sharing.

Opset 18: asking torch's exporter for less silently leaves 18, and 20 loses kernels on CUDA. Batch normalisation is
folded into the convolutions and dropout is gone, because the exporter traces evaluation mode.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

import i2i
from i2i.export.inside import sides
from i2i.export.rewrites import rewritten
from i2i.images.card import METADATA_KEY, ImageCard
from i2i.runtime.ports import expected_inputs, expected_outputs
from i2i.runtime.structure import FLOAT, INT64, UINT8, Port
from i2i.weights.wrapper import Wrapped, evaluating

if TYPE_CHECKING:
    import onnx_ir as ir
    from google.protobuf.message import Message  # type: ignore[import-untyped]
    from onnx import ModelProto, ValueInfoProto

OPSET = 18

Arithmetic = Literal["fp32", "fp16", "int8"]


def build(
    wrapped: Wrapped,
    *,
    rewrites: bool = True,
    arithmetic: Arithmetic = "fp32",
    finish: Callable[[ir.Graph], Any] | None = None,
) -> ModelProto:
    """The complete model in one piece: card in the metadata, sizes named, nothing of this machine in it.

    `rewrites`: after the passes of `i2i.export.rewrites`, which make it faster; without, as torch wrote it.
    `arithmetic`: what it is to be turned into. Of 8-bit integers onnxruntime has ordinary convolutions alone, so all
    others are rewritten, also where that is slower in float. `finish`: what changes the rewritten graph once more.
    """
    card = wrapped.card
    ports = expected_inputs(card)
    free = [
        {place: torch.export.Dim.DYNAMIC for place, size in enumerate(_shape(port)) if size is None} for port in ports
    ]
    with evaluating(wrapped), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; the parity proof judges the result
        program = torch.onnx.export(
            wrapped,
            _example(card),
            dynamo=True,
            opset_version=OPSET,
            input_names=[port.name for port in ports],
            output_names=[port.name for port in expected_outputs(card)],
            dynamic_shapes=tuple(free),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    if rewrites:
        known = None if arithmetic == "int8" else sides(model, card)
        tiled, half = card.sizing.rule == "pad", arithmetic == "fp16"
        model, _ = rewritten(model, even=_even(card), tiled=tiled, half=half, sides=known, finish=finish)
    _clean(model, card)
    return model


def _even(card: ImageCard) -> bool:
    """Whether the planes inside have an even height and width, whatever comes."""
    sizing = card.sizing
    sides = (sizing.multiple,) if sizing.rule == "pad" else (sizing.width or 1, sizing.height or 1)
    return all(side % 2 == 0 for side in sides)


def _example(card: ImageCard) -> tuple[Tensor, ...]:
    """Inputs to trace: a batch of 2, and a height and a width that differ, so that no two sizes are taken for one."""
    kinds = {UINT8: torch.uint8, FLOAT: torch.float32, INT64: torch.int64}
    free = (2, card.sizing.multiple + 5, 2 * card.sizing.multiple + 9)
    return tuple(
        torch.zeros(
            [free[place] if size is None else size for place, size in enumerate(_shape(port))], dtype=kinds[port.dtype]
        )
        for port in expected_inputs(card)
    )


def _clean(model: ModelProto, card: ImageCard) -> None:
    """Name the sizes, drop what the exporter tells about this machine, and add the card."""
    graph = model.graph
    _forget(model)
    del graph.value_info[:]
    graph.name = "i2i"
    model.producer_name, model.producer_version = "i2i", i2i.__version__
    for value, port in zip(graph.input, expected_inputs(card), strict=True):
        _name_sizes(value, _shape(port), ("batch", "height", "width"))
    sides = ("height", "width") if card.scale == 1 and card.latent is None else ("height_out", "width_out")
    for value, port in zip(graph.output, expected_outputs(card), strict=True):
        _name_sizes(value, _shape(port), ("batch", *sides))
    set_card(model, card)


def set_card(model: ModelProto, card: ImageCard) -> None:
    """Put a card into a model; it becomes the only metadata."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, card.to_json()


def _shape(port: Port) -> tuple[int | None, ...]:
    assert port.shape is not None  # a card's ports are complete
    return port.shape


def _name_sizes(value: ValueInfoProto, sizes: tuple[int | None, ...], names: tuple[str, ...]) -> None:
    """Write a value's shape: the number where the card knows it, else a name, unless the exporter found a number."""
    places = value.type.tensor_type.shape.dim
    for number, (place, size) in enumerate(zip(places, sizes, strict=True)):
        if size is not None:
            place.dim_value = size
        elif not place.HasField("dim_value"):
            place.dim_param = names[number]


def _forget(message: Message) -> None:
    """Clear `metadata_props` and `doc_string` here and in every message inside: they hold paths and source lines."""
    for name in ("metadata_props", "doc_string"):
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)
    for field, content in message.ListFields():
        if field.message_type is not None:
            for part in content if field.is_repeated else [content]:
                _forget(part)
