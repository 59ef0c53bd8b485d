"""The inputs and outputs that an .onnx file must have to be what its card says."""

from __future__ import annotations

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.runtime.structure import FLOAT, INT64, UINT8, Port, Structure

_TYPES = {UINT8: "uint8", FLOAT: "float32", INT64: "int64"}


def expected_inputs(card: ImageCard) -> list[Port]:
    """The inputs of a graph with this card: the picture (or the latent), then what steers it."""
    height, width = _size(card)
    if card.latent is None:
        ports = [Port("image", UINT8, (None, height, width, card.source.channels))]
    else:
        ports = [Port("latent", FLOAT, (None, card.latent))]
    if card.condition is None:
        return ports
    if card.condition.port == "domain":
        return [*ports, Port("domain", INT64, (None,))]
    return [*ports, Port("condition", FLOAT, (None, len(card.condition.names)))]


def expected_outputs(card: ImageCard) -> list[Port]:
    """The one output of a graph with this card."""
    height, width = (None if side is None else side * card.scale for side in _size(card))
    return [Port("image_out", UINT8, (None, height, width, card.target.channels))]


def check(structure: Structure, card: ImageCard) -> None:
    """Raise `I2IError` (E_ONNX_IO) unless the graph takes and gives exactly what the card says.

    A dimension that the card leaves open must be open in the graph (the batch may be fixed at 1); one that the card
    states may be left open by the graph, since exporters do not always know it.
    """
    for side, found, expected in (
        ("input", structure.inputs, expected_inputs(card)),
        ("output", structure.outputs, expected_outputs(card)),
    ):
        names, wanted = sorted(port.name for port in found), sorted(port.name for port in expected)
        if names != wanted:
            message = f"has the {side}s {', '.join(names) or '(none)'}; expected {', '.join(wanted)}"
            raise I2IError("E_ONNX_IO", message)
        by_name = {port.name: port for port in found}
        for want in expected:
            have = by_name[want.name]
            if not _fits(have, want, computed=card.latent is not None):
                raise I2IError("E_ONNX_IO", f"{side} {_describe(have)}; expected {_describe(want)}")


def _size(card: ImageCard) -> tuple[int | None, int | None]:
    if card.sizing.rule != "fixed":
        return None, None
    return card.sizing.height, card.sizing.width


def _fits(have: Port, want: Port, *, computed: bool) -> bool:
    # computed: a generator from noise decides its picture's size, which the graph may state where the card does not.
    if have.dtype != want.dtype or have.shape is None or want.shape is None or len(have.shape) != len(want.shape):
        return False
    batch, *rest = have.shape
    sizes = zip(rest, want.shape[1:], strict=True)
    return batch in (None, 1) and all(h is None or h == w or (computed and w is None) for h, w in sizes)


def _describe(port: Port) -> str:
    dtype = _TYPES.get(port.dtype, f"type {port.dtype}")
    if port.shape is None:
        return f"'{port.name}' {dtype} of unknown rank"
    return f"'{port.name}' {dtype} [{', '.join('any' if side is None else str(side) for side in port.shape)}]"
