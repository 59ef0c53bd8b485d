"""Instance normalisation over tiles: all of one picture's tiles are normalised by the same statistics.

An instance norm takes mean and variance of each plane from the picture it sees; from tiles it would take those of each
tile, and a dark one would come out as light as its neighbours. Two changed copies of the graph see to that. The
*measuring* one takes parts of the picture as a batch, and every norm its statistics over the whole batch, as if the
parts were one picture. Those of several batches are pooled and go into the *settled* one as inputs, which is given tile
after tile.

The norms of i2i's networks are blind to the level of a plane, and each plane's first value is taken off before (see
`InstanceNorm`): with statistics from elsewhere that is an offset which differs from tile to tile, so it is left out.
Where 8-bit numbers are made of what is left, their range is that of planes less their first value: there the one of the
whole picture is taken off every tile, which a third copy, the *corner*, finds in the part where the picture begins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from i2i.runtime.graph import Graph, Node, Rewrite, changed, read
from i2i.runtime.structure import FLOAT, FLOAT16

INSTANCE = "InstanceNormalization"
_OPSET = 18  # from here on the axes of ReduceMean are an input
# What mixes places that may lie far apart, when it is given planes.
_WHOLE = {
    *("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "GroupNormalization", "LayerNormalization", "Gemm"),
    *("MeanVarianceNormalization", "LpNormalization", "DynamicQuantizeLinear", "NonZero", "LSTM", "GRU", "RNN"),
    *("If", "Loop", "Scan", "Attention", "MultiHeadAttention"),
}
_QUANTISE, _SLICE = "QuantizeLinear", "Slice"
_SAME = {_QUANTISE, "DequantizeLinear", "Cast", "Identity"}  # the values, in numbers of another kind
_FIRST = {2: (0, 1, 1), 3: (0, 1, 1)}  # by axis: start, end and step of the first place
_RANK = 4
_ONE_OF_A_PLANE, _PLACES = "i2i.norm.shape", "i2i.norm.axes"
_CONSTANTS = {_ONE_OF_A_PLANE: np.array([1, -1, 1, 1]), _PLACES: np.array([0, 2, 3])}

_Form = Callable[[Node, int], list[Node]]
_Bounds = tuple[int, int, int]


@dataclass(frozen=True)
class Norms:
    """A model's instance norms: its changed copies, and the names of what they give and take, float32 [1, C, 1, 1].

    The measuring model gives the `statistics` as outputs, the settled one takes them as inputs: mean, variance, mean,
    variance ... Both take the `firsts`, which the corner gives; mostly there are none, and no corner.
    """

    measuring: bytes
    settled: bytes
    statistics: tuple[str, ...]
    corner: bytes = b""
    firsts: tuple[str, ...] = ()


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
    types = {_type(node.inputs[1], graph, made_by) for node in norms}
    if graph.opset < _OPSET or graph.functions or not types <= {FLOAT, FLOAT16}:
        return "its instance normalisation is in a form that cannot be given the statistics of the whole picture"
    if any(_takes_off_a_place(node, graph, made_by) for node in graph.nodes):
        return "it takes the value of one place off all others"
    return ""


def find(data: bytes) -> Norms | None:
    """The instance norms of a model that has no `obstacle`; None where there are none."""
    graph = read(data)
    norms = [node for node in graph.nodes if node.kind == INSTANCE]
    if not norms:
        return None
    made_by = _producers(graph)
    statistics = [name for number in range(len(norms)) for name in _names(number)]
    less = _less_their_first(graph, made_by)
    firsts = [name for _, name in less if name]

    def copy(form: _Form, *, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> bytes:
        made = {node.outputs[0]: [_less(node, name)] for node, name in less}
        for number, node in enumerate(norms):
            whole = _type(node.inputs[1], graph, made_by) == FLOAT
            made[node.outputs[0]] = form(node, number) if whole else _in_float(node, number, form)
        return changed(data, _by_output(made), constants=_CONSTANTS, inputs=[*inputs, *firsts], outputs=outputs)

    return Norms(
        measuring=copy(_measuring, outputs=statistics),
        settled=copy(_settled, inputs=statistics),
        statistics=tuple(statistics),
        corner=_corner(data, less) if firsts else b"",
        firsts=tuple(firsts),
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


def _corner(data: bytes, less: Sequence[tuple[Node, str]]) -> bytes:
    """The model as it is, which also gives the first values by the names that they have."""
    told = {node.outputs[0]: [node, Node("Identity", node.inputs[1:], (name,))] for node, name in less if name}
    return changed(data, _by_output(told), constants={}, outputs=[name for _, name in less if name])


def _in_float(node: Node, number: int, form: _Form) -> list[Node]:
    """A norm of 16-bit numbers, computed in 32 bits: squares and sums of them are beyond 16."""
    own = f"i2i.norm.{number}"
    wide = tuple(f"{own}.wide.{place}" for place in range(len(node.inputs)))
    inside = Node(INSTANCE, wide, (f"{own}.normal",), node.attributes)
    casts = [Node("Cast", (name,), (other,), {"to": FLOAT}) for name, other in zip(node.inputs, wide, strict=True)]
    return [*casts, *form(inside, number), Node("Cast", inside.outputs, node.outputs, {"to": FLOAT16})]


def _by_output(made: dict[str, list[Node]]) -> Rewrite:
    return lambda node: made.get(node.outputs[0], [node])


def _less_their_first(graph: Graph, made_by: dict[str, Node]) -> list[tuple[Node, str]]:
    """The nodes that take a plane's own first value off it, and the name of what they are to take off instead.

    It is empty where norms alone read what is left, or where the numbers have no range that they could leave.
    """
    nodes = [node for node in graph.nodes if _takes_off_its_first(node, graph, made_by)]
    ranged = any(node.kind == _QUANTISE for node in graph.nodes)
    read_by = [{user.kind for user in graph.nodes if node.outputs[0] in user.inputs} for node in nodes]
    named = [ranged and kinds != {INSTANCE} for kinds in read_by]
    return [(node, f"i2i.first.{number}" if named[number] else "") for number, node in enumerate(nodes)]


def _less(node: Node, first: str) -> Node:
    """The planes less a value that is given, or as they are."""
    return (
        Node("Sub", (node.inputs[0], first), node.outputs) if first else Node("Identity", node.inputs[:1], node.outputs)
    )


def _takes_off_its_first(node: Node, graph: Graph, made_by: dict[str, Node]) -> bool:
    """Whether a node is x - x[:, :, :1, :1], as the norms write it; either x may be in numbers of another kind."""
    if node.kind != "Sub":
        return False
    planes = {node.inputs[0], *(step.inputs[0] for step in _steps(node.inputs[0], _SAME, made_by))}
    bounds: dict[int, _Bounds | None] = {}
    for step in _steps(node.inputs[1], {*_SAME, _SLICE}, made_by):
        bounds |= _bounds(step, graph) if step.kind == _SLICE else {}
        if step.inputs[0] in planes and bounds:
            return bounds == _FIRST
    return False


def _takes_off_a_place(node: Node, graph: Graph, made_by: dict[str, Node]) -> bool:
    """Something like the above that is not quite it, in a form that a later pass may have given it."""
    if node.kind != "Sub" or _takes_off_its_first(node, graph, made_by):
        return False
    return any(step.kind == _SLICE for step in _steps(node.inputs[1], {*_SAME, _SLICE}, made_by))


def _steps(name: str, kinds: Collection[str], made_by: dict[str, Node]) -> Iterator[Node]:
    """The nodes of these kinds that a value has come through, from the last one back."""
    while name in made_by and made_by[name].kind in kinds:
        yield made_by[name]
        name = made_by[name].inputs[0]


def _bounds(node: Node, graph: Graph) -> dict[int, _Bounds | None]:
    """What a Slice keeps of each axis of planes, start, end, step; nothing known where they are no constants."""
    starts, ends, axes, steps = (graph.integers.get(name, ()) for name in (*node.inputs[1:], "", "")[:4])
    found = zip(starts, ends, steps or (1,) * len(starts), strict=False)
    return {axis % _RANK: bounds for axis, bounds in zip(axes, found, strict=False)} or {-1: None}


def _type(name: str, graph: Graph, made_by: dict[str, Node]) -> int:
    """The data type of a value that is a weight, or is made of one that is stored in fewer bits; else 0."""
    node = made_by.get(name)
    if node is None or node.inputs[:1] == () or node.inputs[0] not in graph.weights:
        return graph.weights.get(name, 0)
    if node.kind == "DequantizeLinear":
        return graph.weights.get(node.inputs[1], 0)
    return int(node.attributes.get("to", 0)) if node.kind == "Cast" else 0


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
