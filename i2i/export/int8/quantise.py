"""A model in 8-bit integers that is as good as asked: what is counted, what is searched, and what is refused."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from i2i.errors import I2IError
from i2i.export.inside import with_outputs
from i2i.export.int8.feeds import Feed, Feeds
from i2i.export.int8.plan import plan, units
from i2i.export.int8.ranges import Histogram, merged, step_and_zero
from i2i.export.int8.write import Scale, write
from i2i.export.parity import MOST_RELABELLED, decibel
from i2i.export.rewrites.nodes import PREFIX, known
from i2i.runtime.onnx import failures

if TYPE_CHECKING:
    from onnx import ModelProto

Target = Literal["any", "vnni"]

# Without VNNI a processor adds the products of two pairs in 16 bits: 2 * 255 * 64 is the most that fits.
LARGEST = {"any": 64, "vnni": 127}
_LOOKED_AT = 4  # pictures by which layers are compared
_ROUNDS = 5
_LEAST_SHARE = 0.5  # of the arithmetic


@dataclass(frozen=True)
class Calibration:
    """How a model is to be quantised: the inputs `feeds`; the processors it is for; and how near it has to be to itself
    in float, in dB. `on_speed` is told the milliseconds of one input in float, as the file without this would be, and
    in integers, on this machine.
    """

    feeds: Feeds
    target: Target = "any"
    psnr: float = 40.0
    on_speed: Callable[[float, float], None] | None = None


@dataclass(frozen=True)
class Quantised:
    """A quantised model, its PSNR in dB to the model it was made of on `held_out` pictures, the largest difference in
    levels there, and the share of pixels that differ; `floating`: the layers that stayed in float, `layers` in all.
    """

    model: ModelProto
    psnr: float
    largest_difference: int
    relabelled: float
    held_out: int
    floating: tuple[str, ...]
    layers: int


def quantise(model: ModelProto, calibration: Calibration, *, labels: bool = False) -> Quantised:
    """The model with its layers in 8-bit integers, all but the worst ones, until it is as near to itself as asked.

    Inputs are taken one at a time. The PSNR is that of the mean squared error over all that were held out. Of `labels`,
    colours that are names, less than `MOST_RELABELLED` of the pixels there may have another in place of it. Raises
    `I2IError` (E_QUANTISATION) when half of the arithmetic in float does not reach it, and for a model without layers
    to quantise.
    """
    names = [str(node.name) for node in units(ir.from_proto(model).graph)]
    if not names:
        message = "has no convolution with fixed weights, which is what int8 is for; export it without --int8"
        raise I2IError("E_QUANTISATION", message)
    search = _Search(model, calibration.feeds.counted, names, calibration.target, labels=labels)
    return search.best(calibration.feeds.held_out, calibration.psnr)


class _Search:
    """Which layers may be integers."""

    def __init__(
        self, model: ModelProto, feeds: Sequence[Feed], names: Sequence[str], target: Target, *, labels: bool
    ) -> None:
        self._model = model
        self._labels = labels
        self._names = names
        self._feeds = feeds
        self._largest = LARGEST[target]
        self._histograms, self._costs = count(model, feeds, names)

    def best(self, kept: Sequence[Feed], wanted: float) -> Quantised:
        """The model with as many integers as the wanted PSNR allows, or the share of pixels with other labels."""
        expected = outputs(self._model, kept)
        order: list[str] | None = None
        floating: list[str] = []
        while True:
            made = self._quantised(set(self._names) - set(floating))
            got = outputs(made, kept)
            error, largest = difference(expected, got)
            found, share = decibel(error), relabelled(expected, got)
            if (share < MOST_RELABELLED) if self._labels else (found >= wanted):
                return Quantised(made, found, largest, share, len(kept), tuple(floating), len(self._names))
            order = order or self._worst_first()
            more = order[len(floating) : len(floating) + max(1, len(order) // 8)]
            floating = [*floating, *more]
            if self._share(floating) > 1 - _LEAST_SHARE:
                left = f"{len(floating) - len(more)} of {len(self._names)}"
                raise _refusal_of_labels(share, left) if self._labels else _refusal(found, wanted, left)

    def _worst_first(self) -> list[str]:
        """The layers by the error that each makes alone for the arithmetic that it saves."""
        few = self._feeds[:_LOOKED_AT]
        expected = outputs(self._model, few)
        errors = {name: self._error(expected, outputs(self._quantised({name}), few)) for name in self._names}
        return sorted(self._names, key=lambda name: -errors[name] / self._costs[name])

    def _error(self, expected: Sequence[NDArray[np.uint8]], found: Sequence[NDArray[np.uint8]]) -> float:
        return relabelled(expected, found) if self._labels else difference(expected, found)[0]

    def _share(self, names: Collection[str]) -> float:
        return sum(self._costs[name] for name in names) / sum(self._costs.values())

    def _quantised(self, chosen: Collection[str]) -> ModelProto:
        whole = ir.from_proto(self._model)
        made = plan(whole.graph, chosen)
        scales = {}
        for root, sources in made.groups().items():
            parts = [self._histograms[str(value.name)] for value in sources]
            fitting = [
                part.positive() if value in made.positive else part for value, part in zip(sources, parts, strict=True)
            ]
            scales[root] = Scale(*step_and_zero(*merged(fitting).limits()))
        whole.graph.meta[PREFIX] = "int8"
        write(whole.graph, made, scales, largest=self._largest)
        return ir.to_proto(whole)


def count(
    model: ModelProto, feeds: Sequence[Feed], names: Sequence[str]
) -> tuple[dict[str, Histogram], dict[str, float]]:
    """A histogram of every value that may become 8-bit numbers, and the multiplications of each unit a picture."""
    whole = ir.from_proto(model)
    weights = {str(node.name): (str(node.outputs[0].name), known(node.inputs[1])) for node in units(whole.graph)}
    wanted = sorted(watched(model, names))
    session = _session(with_outputs(model, wanted))
    histograms = {name: Histogram() for name in wanted}
    sizes = dict.fromkeys(wanted, 0)
    for feed in feeds:
        for name, values in zip(wanted, session.run(wanted, feed), strict=True):
            histograms[name].add(values)
            sizes[name] += values.size
    costs = {}
    for name, (output, weight) in weights.items():
        assert weight is not None  # a unit
        costs[name] = max(1.0, sizes[output] / len(feeds) * weight.size / len(weight))
    return histograms, costs


def watched(model: ModelProto, names: Sequence[str]) -> set[str]:
    """The values whose ranges some choice of units needs: the sources with all of them, and with each alone."""
    found: set[str] = set()
    for chosen in [set(names), *({name} for name in names)]:
        found |= {str(value.name) for value in plan(ir.from_proto(model).graph, chosen).sources()}
    return found


def outputs(model: ModelProto, feeds: Sequence[Feed]) -> list[NDArray[np.uint8]]:
    """The pictures that a model makes of each input."""
    session = _session(model)
    return [session.run(["image_out"], feed)[0] for feed in feeds]


def milliseconds(models: Sequence[ModelProto], feed: Feed) -> list[float]:
    """The median time of one input with each model, which take turns."""
    sessions = [_session(model) for model in models]
    times: list[list[float]] = [[] for _ in models]
    for _ in range(_ROUNDS + 1):
        for session, found in zip(sessions, times, strict=True):
            start = time.perf_counter()
            session.run(None, feed)
            found.append(1000 * (time.perf_counter() - start))
    return [statistics.median(found[1:]) for found in times]


def difference(expected: Sequence[NDArray[np.uint8]], found: Sequence[NDArray[np.uint8]]) -> tuple[float, int]:
    """The mean squared difference in levels, over all pictures together, and the largest one."""
    apart = [a.astype(np.int32) - b for a, b in zip(expected, found, strict=True)]
    squares, values = sum(int((part**2).sum()) for part in apart), sum(part.size for part in apart)
    return squares / values, max(int(np.abs(part).max(initial=0)) for part in apart)


def relabelled(expected: Sequence[NDArray[np.uint8]], found: Sequence[NDArray[np.uint8]]) -> float:
    """The share of pixels whose colour (the last axis) is another one, over all pictures together, 0..1."""
    unlike = [np.any(a != b, axis=-1) for a, b in zip(expected, found, strict=True)]
    count = sum(int(np.count_nonzero(part)) for part in unlike)
    return count / sum(int(part.size) for part in unlike)


def _session(model: ModelProto) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except failures() as error:
        raise I2IError("E_QUANTISATION", f"onnxruntime cannot run the graph: {str(error)[:300]}") from None


def _refusal(found: float, wanted: float, left: str) -> I2IError:
    message = (
        f"int8 with {left} layers left in float reaches a PSNR of {found:.1f} dB to fp32, "
        f"{wanted:g} wanted, and with more of them half of the arithmetic would be float; nothing was written. "
        f"--int8-psnr {math.floor(found)} accepts it; more pictures to calibrate or --int8-target vnni may help"
    )
    return I2IError("E_QUANTISATION", message)


def _refusal_of_labels(share: float, left: str) -> I2IError:
    message = (
        f"int8 with {left} layers left in float gives {100 * share:.2f} % of the pixels another label, less than "
        f"{100 * MOST_RELABELLED:g} % wanted, and with more of them half of the arithmetic would be float; nothing "
        "was written. More pictures to calibrate or --int8-target vnni may help, or --fp16"
    )
    return I2IError("E_QUANTISATION", message)
