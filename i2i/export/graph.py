"""The ONNX graph of a translator: traced from the torch module that the torch session runs, then cleaned for sharing.

Opset 18: asking torch's exporter for less silently leaves 18, and 20 loses kernels on CUDA. Batch normalisation is
folded into the convolutions and dropout is gone, because the exporter traces evaluation mode.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor

import i2i
from i2i.images.card import METADATA_KEY, ImageCard
from i2i.weights.wrapper import Wrapped, evaluating

if TYPE_CHECKING:
    from google.protobuf.message import Message  # type: ignore[import-untyped]
    from onnx import ModelProto, ValueInfoProto

OPSET = 18
OUTPUT = "image_out"


def build(wrapped: Wrapped) -> ModelProto:
    """The complete model in one piece: card in the metadata, sizes named, nothing of this machine in it."""
    card = wrapped.card
    dynamic = torch.export.Dim.DYNAMIC
    given = [{place: dynamic for place, size in enumerate(shape) if size is None} for shape in _shapes(card).values()]
    with evaluating(wrapped), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; the parity proof judges the result
        program = torch.onnx.export(
            wrapped,
            _example(card),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(_shapes(card)),
            output_names=[OUTPUT],
            dynamic_shapes=tuple(given),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _clean(model, card)
    return model


def _shapes(card: ImageCard) -> dict[str, tuple[int | None, ...]]:
    """Each input's name and shape; `None` where the program that runs the model chooses."""
    if card.latent is not None:
        shapes: dict[str, tuple[int | None, ...]] = {"latent": (None, card.latent)}
    elif card.sizing.rule == "fixed":
        shapes = {"image": (None, card.sizing.height, card.sizing.width, card.source.channels)}
    else:
        shapes = {"image": (None, None, None, card.source.channels)}
    if card.condition is not None:
        domains = card.condition.kind == "domains"
        shapes |= {"domain": (None,)} if domains else {"condition": (None, len(card.condition.names))}
    return shapes


def _example(card: ImageCard) -> tuple[Tensor, ...]:
    """Inputs to trace: a batch of 2, and a height and a width that differ, so that no two sizes are taken for one."""
    kinds = {"image": torch.uint8, "latent": torch.float32, "domain": torch.int64, "condition": torch.float32}
    free = (2, card.sizing.multiple + 5, 2 * card.sizing.multiple + 9)
    return tuple(
        torch.zeros([free[place] if size is None else size for place, size in enumerate(shape)], dtype=kinds[name])
        for name, shape in _shapes(card).items()
    )


def _clean(model: ModelProto, card: ImageCard) -> None:
    """Name the sizes, drop what the exporter tells about this machine, and add the card."""
    graph = model.graph
    _forget(model)
    del graph.value_info[:]
    graph.name = "i2i"
    model.producer_name, model.producer_version = "i2i", i2i.__version__
    for value, shape in zip(graph.input, _shapes(card).values(), strict=True):
        names = ("batch", "height", "width")
        _name_sizes(value, tuple(names[place] if size is None else size for place, size in enumerate(shape)))
    suffix = "" if card.scale == 1 else "_out"
    _name_sizes(graph.output[0], ("batch", *_output_size(card, suffix), card.target.channels))
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, card.to_json()


def _output_size(card: ImageCard, suffix: str) -> tuple[int | str | None, int | str | None]:
    if card.latent is not None:
        return None, None  # the network alone decides, and the exporter has found it out
    height, width = card.sizing.height, card.sizing.width
    if card.sizing.rule == "fixed" and height is not None and width is not None:
        return height * card.scale, width * card.scale
    return f"height{suffix}", f"width{suffix}"


def _name_sizes(value: ValueInfoProto, sizes: tuple[int | str | None, ...]) -> None:
    """Write a value's shape: a number where it is known, a name where it is not; `None` leaves what is there."""
    places = value.type.tensor_type.shape.dim
    assert len(places) == len(sizes)
    for place, size in zip(places, sizes, strict=True):
        if isinstance(size, str):
            place.dim_param = size
        elif size is not None:
            place.dim_value = size


def _forget(message: Message) -> None:
    """Clear `metadata_props` and `doc_string` here and in every message inside: they hold paths and source lines."""
    for name in ("metadata_props", "doc_string"):
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)
    for field, content in message.ListFields():
        if field.message_type is not None:
            for part in content if field.is_repeated else [content]:
                _forget(part)
