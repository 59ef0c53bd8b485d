"""What an .onnx file is made of, found without the `onnx` package and before onnxruntime sees a byte of it.

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Every place that can
hold a tensor is walked: initializers, sparse ones, attributes of nodes, subgraphs, functions and training graphs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from i2i.errors import I2IError
from i2i.runtime.wire import Value, WireError, fields, integer, nested, text

MAXIMUM_BYTES = 2**31 - 1  # protobuf's own limit for one message
_DEPTH = 60  # protobuf readers stop at 100 messages inside each other; a graph in a graph takes three

UINT8, FLOAT, FLOAT16, INT64 = 2, 1, 10, 7  # TensorProto.DataType

# Where each kind of message keeps the messages that can lead to a tensor: field number -> kind.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_OP_TYPE = 4


@dataclass(frozen=True)
class Port:
    """One input or output of the graph: name, element type (TensorProto.DataType), shape.

    A dimension is a number, or None where any size is taken. `shape` is None when the rank is not stated.
    """

    name: str
    dtype: int
    shape: tuple[int | None, ...] | None


@dataclass
class Structure:
    """The parts of an .onnx file that decide whether it may be opened."""

    metadata: dict[str, str] = field(default_factory=dict)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)


def examine(data: bytes | memoryview, *, path: Path | str | None = None) -> Structure:
    """Read the structure of the .onnx file in `data`.

    Raises `I2IError`: E_ONNX_EXTERNAL when any tensor or node keeps its contents in another file, whatever its name,
    E_ONNX_INVALID when the bytes are not an ONNX model.
    """
    if len(data) > MAXIMUM_BYTES:
        raise I2IError("E_ONNX_INVALID", f"{len(data)} bytes; an .onnx file holds at most {MAXIMUM_BYTES}", path=path)
    try:
        message = memoryview(data)
        _refuse_external(message, "model", 0)
        return _structure(message)
    except WireError as error:
        raise I2IError("E_ONNX_INVALID", f"not an ONNX model ({error}); export it again", path=path) from None
    except I2IError as error:
        raise I2IError(error.code, error.message, path=path) from None


def _refuse_external(message: memoryview, kind: str, depth: int) -> None:
    if depth > _DEPTH:
        raise WireError("messages nested too deeply")
    children = _CHILDREN[kind]
    for number, value in fields(message):
        if number in children:
            _refuse_external(nested(value), children[number], depth + 1)
        elif kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and integer(value) != 0)):
            raise _external(_location(value) if number == _EXTERNAL_DATA else "")
        elif kind == "node" and number == _OP_TYPE and text(value) == "EPContext":
            raise _external("")  # a compiled graph that an execution provider reads from a path of its choice


def _external(location: str) -> I2IError:
    where = f" ('{location[:200]}')" if location else ""
    message = f"keeps data in another file{where}, which is never read; export it again as one file"
    return I2IError("E_ONNX_EXTERNAL", message)


def _location(value: Value) -> str:
    key, content = _entry(value)
    return content if key == "location" else ""


def _entry(value: Value) -> tuple[str, str]:
    found = {1: "", 2: ""}
    for number, part in fields(nested(value)):
        if number in found:
            found[number] = text(part)
    return found[1], found[2]


def _structure(message: memoryview) -> Structure:
    found = Structure()
    graphs: list[memoryview] = []
    for number, value in fields(message):
        if number == 7:
            graphs.append(nested(value))
        elif number == 14:
            key, content = _entry(value)
            if key in found.metadata:
                raise WireError(f"metadata key {key!r} twice")
            found.metadata[key] = content
    if len(graphs) != 1:
        raise WireError(f"{len(graphs)} graphs, expected one")
    _read_graph(graphs[0], found)
    return found


def _read_graph(graph: memoryview, found: Structure) -> None:
    weights: set[str] = set()
    for number, value in fields(graph):
        if number == 5:
            weights.update(text(part) for tag, part in fields(nested(value)) if tag == 8)
        elif number == 11:
            found.inputs.append(_port(nested(value)))
        elif number == 12:
            found.outputs.append(_port(nested(value)))
    # Files of IR version 3 list their weights among the inputs too.
    found.inputs = [port for port in found.inputs if port.name not in weights]


def _port(message: memoryview) -> Port:
    parts = _once(fields(message), {1, 2}, "a value")
    tensor = _once(fields(nested(parts.get(2, memoryview(b"")))), {1}, "a type")
    if 1 not in tensor:
        return Port(text(parts.get(1, memoryview(b""))), 0, None)
    typed = _once(fields(nested(tensor[1])), {1, 2}, "a tensor type")
    shape = None if 2 not in typed else tuple(_dimension(nested(d)) for n, d in fields(nested(typed[2])) if n == 1)
    return Port(text(parts.get(1, memoryview(b""))), integer(typed.get(1, 0)), shape)


def _dimension(message: memoryview) -> int | None:
    value = _once(fields(message), {1}, "a dimension").get(1)
    return None if value is None else integer(value)


def _once(parts: Iterable[tuple[int, Value]], wanted: set[int], what: str) -> dict[int, Value]:
    """The wanted fields. Protobuf merges a field that comes twice; no writer needs that, so it is refused."""
    found: dict[int, Value] = {}
    for number, value in parts:
        if number in wanted:
            if number in found:
                raise WireError(f"{what} with field {number} twice")
            found[number] = value
    return found
