"""Instance normalisation over tiles: all of one picture's tiles are normalised by the same statistics.

An instance norm takes mean and variance of each plane from the picture it sees; from tiles it would take those of each
tile, and a dark one would come out as light as its neighbours. Two changed copies of the graph see to that. The
*measuring* one takes parts of the picture as a batch, and every norm its statistics over the whole batch, as if the
parts were one picture. Those of several batches are pooled and go into the *settled* one as inputs, which is given tile
after tile.

The norms of i2i's networks are blind to the level of a plane, and each plane's first value is taken off before (see
`InstanceNorm`): with statistics from elsewhere that is an offset which differs from tile to tile, so it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from i2i.runtime.graph import Graph, Node, changed, read
from i2i.runtime.structure import FLOAT

INSTANCE = "InstanceNormalization"
_OPSET = 18  # from here on the axes of ReduceMean are an input
# What mixes places that may lie far apart, when it is given planes.
_WHOLE = {
    *("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "GroupNormalization", "LayerNormalization", "Gemm"),
    *("MeanVarianceNormalization", "LpNormalization", "DynamicQuantizeLinear", "NonZero", "LSTM", "GRU", "RNN"),
    *("If", "Loop", "Scan", "Attention", "MultiHeadAttention"),
}
_PASSES_ON = {"QuantizeLinear", "DequantizeLinear", "Cast", "Identity", "Slice"}
_ONE_OF_A_PLANE, _PLACES = "i2i.norm.shape", "i2i.norm.axes"
_CONSTANTS = {_ONE_OF_A_PLANE: np.array([1, -1, 1, 1]), _PLACES: np.array([0, 2, 3])}


@dataclass(frozen=True)
class Norms:
    """A model's instance norms: its two changed copies, and the names of the statistics, float32 [1, C, 1, 1].

    The measuring model gives them as outputs, the settled one takes them as inputs: mean, variance, mean, variance ...
    """

    measuring: bytes
    settled: bytes
    statistics: tuple[str, ...]


def obstacle(data: bytes) -> str:
    """Why tiles that are translated one by one would not fit together; empty where they do."""
    graph = read(data)
    whole = next(_whole(graph), None)
    if whole is not None:
        return f"its layer {whole.kind} looks at the whole picture"
    norms = [node for node in graph.nodes if node.kind == INSTANCE]
    if not norms:
        return ""
    made_by = _producers(graph)
    if graph.opset < _OPSET or graph.functions or not all(_is_float(node.inputs[1], graph, made_by) for node in norms):
        return "its instance normalisation is in a form that cannot be given the statistics of the whole picture"
    if any(_takes_off_a_place(node, made_by) for node in graph.nodes):
        return "it takes the value of one place off all others"
    return ""


def find(data: bytes) -> Norms | None:
    """The instance norms of a model that has no `obstacle`; None where there are none."""
    graph = read(data)
    numbers = {node.outputs[0]: number for number, node in enumerate(n for n in graph.nodes if n.kind == INSTANCE)}
    if not numbers:
        return None
    made_by = _producers(graph)
    names = [name for number in numbers.values() for name in _names(number)]

    def measuring(node: Node) -> Sequence[Node]:
        return _measuring(node, numbers[node.outputs[0]]) if node.kind == INSTANCE else _kept(node, made_by)

    def settled(node: Node) -> Sequence[Node]:
        return _settled(node, numbers[node.outputs[0]]) if node.kind == INSTANCE else _kept(node, made_by)

    return Norms(
        measuring=changed(data, measuring, constants=_CONSTANTS, outputs=names),
        settled=changed(data, settled, constants=_CONSTANTS, inputs=names),
        statistics=tuple(names),
    )


def pooled(batches: Sequence[Sequence[npt.NDArray[np.float32]]]) -> list[npt.NDArray[np.float32]]:
    """The statistics of several batches of one size together: mean, variance, mean, variance ... of each in a row."""
    result = []
    for means, variances in zip(*[iter(zip(*batches, strict=True))] * 2, strict=True):
        each = np.asarray(means, np.float64)
        mean = each.mean(0)
        variance = np.mean(np.asarray(variances, np.float64) + (each - mean) ** 2, axis=0)
        result += [mean.astype(np.float32), variance.astype(np.float32)]
    return result


def _names(number: int) -> tuple[str, str]:
    return f"i2i.norm.{number}.mean", f"i2i.norm.{number}.variance"


def _measuring(node: Node, number: int) -> list[Node]:
    """The norm over all pictures of a batch together; gives its mean and variance."""
    mean, variance = _names(number)
    own = f"i2i.norm.{number}"
    return [
        # From the least value on, so that planes of one value have exactly that as their mean and leave no rounding.
        Node("ReduceMin", (node.inputs[0], _PLACES), (f"{own}.least",)),
        Node("Sub", (node.inputs[0], f"{own}.least"), (f"{own}.above",)),
        Node("ReduceMean", (f"{own}.above", _PLACES), (f"{own}.rise",)),
        Node("Add", (f"{own}.least", f"{own}.rise"), (mean,)),
        Node("Sub", (node.inputs[0], mean), (f"{own}.apart",)),
        Node("Mul", (f"{own}.apart", f"{own}.apart"), (f"{own}.square",)),
        Node("ReduceMean", (f"{own}.square", _PLACES), (variance,)),
        *_applied(node, own, variance),
    ]


def _settled(node: Node, number: int) -> list[Node]:
    """The norm by the mean and the variance that are given."""
    mean, variance = _names(number)
    own = f"i2i.norm.{number}"
    return [Node("Sub", (node.inputs[0], mean), (f"{own}.apart",)), *_applied(node, own, variance)]


def _applied(node: Node, own: str, variance: str) -> list[Node]:
    """The planes without their mean, over their deviation, by the norm's own scale and bias."""
    return [
        Node("Constant", (), (f"{own}.epsilon",), {"value_float": node.attributes.get("epsilon", 1e-5)}),
        Node("Add", (variance, f"{own}.epsilon"), (f"{own}.more",)),
        Node("Sqrt", (f"{own}.more",), (f"{own}.deviation",)),
        Node("Reshape", (node.inputs[1], _ONE_OF_A_PLANE), (f"{own}.scale",)),
        Node("Div", (f"{own}.scale", f"{own}.deviation"), (f"{own}.factor",)),
        Node("Mul", (f"{own}.apart", f"{own}.factor"), (f"{own}.scaled",)),
        Node("Reshape", (node.inputs[2], _ONE_OF_A_PLANE), (f"{own}.bias",)),
        Node("Add", (f"{own}.scaled", f"{own}.bias"), node.outputs),
    ]


def _kept(node: Node, made_by: dict[str, Node]) -> list[Node]:
    """A node as it is, or without effect where it takes a plane's own first value off it."""
    if _takes_off_its_first(node, made_by):
        return [Node("Identity", node.inputs[:1], node.outputs)]
    return [node]


def _takes_off_its_first(node: Node, made_by: dict[str, Node]) -> bool:
    """Whether a node is x - x[:, :, :1, :1], as the norms write it."""
    if node.kind != "Sub" or not _is_made_by(node.inputs[1], "Slice", made_by):
        return False
    name = node.inputs[1]
    while name != node.inputs[0] and _is_made_by(name, "Slice", made_by):
        name = made_by[name].inputs[0]
    return name == node.inputs[0]


def _takes_off_a_place(node: Node, made_by: dict[str, Node]) -> bool:
    """Something like the above that is not quite it, in a form that a later pass may have given it."""
    if node.kind != "Sub" or _takes_off_its_first(node, made_by):
        return False
    name, sliced = node.inputs[1], False
    while name in made_by and made_by[name].kind in _PASSES_ON:
        sliced |= made_by[name].kind == "Slice"
        name = made_by[name].inputs[0]
    return sliced


def _is_made_by(name: str, kind: str, made_by: dict[str, Node]) -> bool:
    return name in made_by and made_by[name].kind == kind


def _is_float(name: str, graph: Graph, made_by: dict[str, Node]) -> bool:
    return graph.weights.get(name) == FLOAT or _is_made_by(name, "DequantizeLinear", made_by)


def _producers(graph: Graph) -> dict[str, Node]:
    return {name: node for node in graph.nodes for name in node.outputs}


def _whole(graph: Graph) -> Iterator[Node]:
    """Nodes that mix far places of the picture; sizes and what the model is told may be mixed as they like."""
    seen = {"image"}
    for node in graph.nodes:
        from_picture = [name for name in node.inputs if name in seen]
        if not from_picture or node.kind in ("Shape", "Size"):
            continue
        seen.update(node.outputs)
        mixes_two = node.kind == "MatMul" and len(from_picture) == 2
        if node.kind in _WHOLE or node.kind.startswith("Reduce") or mixes_two:
            yield node
