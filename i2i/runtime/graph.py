"""The nodes of an .onnx graph, read and changed without the `onnx` package, on bytes that have been examined.

Field numbers are those of onnx.proto, as in `i2i.runtime.structure`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from i2i.runtime.structure import FLOAT, INT64
from i2i.runtime.wire import Value, blob, fields, integer, nested, number, text

_GRAPH, _OPSET = 7, 8
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_FLOAT_ATTRIBUTE, _INTEGER_ATTRIBUTE = 1, 2  # AttributeProto.AttributeType
_AXES = 8  # that a tensor has at most

Rewrite = Callable[["Node"], Sequence["Node"]]


@dataclass(frozen=True)
class Node:
    """One operation; `attributes` are those that are one number. `raw` is its message as it was read, None if it is
    new.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, float | int] = field(default_factory=dict)
    raw: memoryview | None = None

    def encoded(self) -> bytes:
        """The NodeProto."""
        if self.raw is not None:
            return bytes(self.raw)
        parts = [blob(1, name.encode()) for name in self.inputs] + [blob(2, name.encode()) for name in self.outputs]
        parts += [blob(4, self.kind.encode()), *(blob(5, _attribute(*pair)) for pair in self.attributes.items())]
        return b"".join(parts)


@dataclass
class Graph:
    """A model's nodes in order, its opset, and the data types of its weights by name (TensorProto.DataType).

    `integers`: the numbers of those weights that are a few int64, as bounds and axes are.
    """

    nodes: list[Node]
    opset: int
    weights: dict[str, int]
    functions: bool = False
    integers: dict[str, tuple[int, ...]] = field(default_factory=dict)


def read(data: bytes) -> Graph:
    """The graph of a model that `examine` has found sound."""
    found = Graph([], 0, {})
    for tag, value in fields(memoryview(data)):
        if tag == _GRAPH:
            _read_graph(nested(value), found)
        elif tag == _OPSET:
            parts = dict(fields(nested(value)))
            if not bytes(nested(parts.get(1, memoryview(b"")))):
                found.opset = integer(parts.get(2, 0))
        elif tag == 25:
            found.functions = True
    return found


def changed(
    data: bytes,
    rewrite: Rewrite,
    *,
    constants: Mapping[str, npt.NDArray[np.int64]],
    inputs: Iterable[str] = (),
    outputs: Iterable[str] = (),
) -> bytes:
    """The model with every node replaced by what `rewrite` makes of it.

    `constants`: new weights; `inputs` and `outputs`: new ones, float32 of rank 4 and any size.
    """
    parts = []
    for tag, value in fields(memoryview(data)):
        if tag != _GRAPH:
            parts.append(_copied(tag, value))
            continue
        graph = b"".join(_changed_graph(nested(value), rewrite))
        graph += b"".join(blob(_INITIALIZER, _tensor(*pair)) for pair in constants.items())
        graph += b"".join(blob(_INPUT, _port(name)) for name in inputs)
        graph += b"".join(blob(_OUTPUT, _port(name)) for name in outputs)
        parts.append(blob(_GRAPH, graph))
    return b"".join(parts)


def _read_graph(graph: memoryview, found: Graph) -> None:
    for tag, value in fields(graph):
        if tag == _NODE:
            found.nodes.append(_node(nested(value)))
        elif tag == _INITIALIZER:
            parts = {key: part for key, part in fields(nested(value)) if key in (2, 8, 9)}
            name, dtype = text(parts.get(8, memoryview(b""))), integer(parts.get(2, 0))
            found.weights[name] = dtype
            content = nested(parts.get(9, memoryview(b"")))
            if dtype == INT64 and 0 < len(content) <= 8 * _AXES:
                found.integers[name] = tuple(np.frombuffer(content, "<i8").tolist())


def _node(message: memoryview) -> Node:
    inputs, outputs, kind = [], [], ""
    attributes: dict[str, float | int] = {}
    for tag, value in fields(message):
        if tag == 1:
            inputs.append(text(value))
        elif tag == 2:
            outputs.append(text(value))
        elif tag == 4:
            kind = text(value)
        elif tag == 5:
            parts = dict(fields(nested(value)))
            if 2 in parts:  # a float, four bytes
                attributes[text(parts[1])] = float(np.frombuffer(nested(parts[2]), "<f4")[0])
            elif 3 in parts:
                attributes[text(parts[1])] = integer(parts[3])
    return Node(kind, tuple(inputs), tuple(outputs), attributes, message)


def _changed_graph(graph: memoryview, rewrite: Rewrite) -> Iterable[bytes]:
    for tag, value in fields(graph):
        if tag == _NODE:
            yield from (blob(_NODE, node.encoded()) for node in rewrite(_node(nested(value))))
        else:
            yield _copied(tag, value)


def _copied(tag: int, value: Value) -> bytes:
    """A field of a model or graph as it was: these have numbers and messages alone."""
    return number(tag, value) if isinstance(value, int) else blob(tag, bytes(value))


def _attribute(name: str, value: float | int) -> bytes:
    if isinstance(value, int):
        return blob(1, name.encode()) + number(3, value) + number(20, _INTEGER_ATTRIBUTE)
    return blob(1, name.encode()) + b"\x15" + np.array(value, "<f4").tobytes() + number(20, _FLOAT_ATTRIBUTE)


def _tensor(name: str, values: npt.NDArray[np.int64]) -> bytes:
    sizes = b"".join(number(1, size) for size in values.shape)
    return sizes + number(2, INT64) + blob(8, name.encode()) + blob(9, values.astype("<i8").tobytes())


def _port(name: str) -> bytes:
    """A ValueInfoProto: float32 [any, any, any, any]."""
    shape = blob(2, b"".join(blob(1, b"") for _ in range(4)))
    return blob(1, name.encode()) + blob(2, blob(1, number(1, FLOAT) + shape))
