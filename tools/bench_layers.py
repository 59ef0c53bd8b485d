"""On which sizes a transposed convolution gains by being rewritten: single layers in onnxruntime.

usage: python tools/bench_layers.py [--rounds N] [--sides N ...] [--threads N]

The forms of each layer take turns: transposed as it is, as one ordinary convolution, and as one for each remainder.
The table gives medians (least) of the processor time, which a busy machine disturbs less than the time on the clock
(with several threads, of the latter, on an idle machine), and how much more the one convolution multiplies. An export
in float takes those that stand apart where planes and side are large; the reasons stand in
i2i/export/rewrites/subpixel.py. The layers are those of a U-Net-256, a StarGAN at 128 pixels, a ResNet at 256, and of
small networks. Weights are random.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any, NamedTuple

import numpy as np

from i2i.export.rewrites.nodes import Builder, known, of_kind
from i2i.export.rewrites.subpixel import emit, emit_apart, phases, remainders

FORMS = ("transposed", "one", "apart")


class Layer(NamedTuple):
    """Planes in and out, the side of those that come in, the side of the taps, and the output's padding."""

    before: int
    after: int
    side: int
    taps: int = 4
    longer: int = 0


LAYERS = (
    Layer(512, 512, 1),
    Layer(1024, 512, 2),
    Layer(1024, 512, 4),
    Layer(1024, 512, 8),
    Layer(512, 256, 8),
    Layer(1024, 256, 16),
    Layer(512, 128, 32),
    Layer(256, 64, 64),
    Layer(128, 3, 128),
    Layer(256, 128, 32),
    Layer(128, 64, 64),
    Layer(256, 64, 17),
    Layer(128, 32, 33),
    Layer(64, 16, 65),
    Layer(64, 32, 33),
    Layer(256, 128, 64, 3, 1),
    Layer(128, 64, 128, 3, 1),
)


def model(layer: Layer) -> Any:
    """A graph of this layer alone, which doubles the side."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = np.random.default_rng(0).normal(size=(layer.before, layer.after, layer.taps, layer.taps))
    options: dict[str, Any] = {
        "kernel_shape": [layer.taps] * 2,
        "strides": [2, 2],
        "pads": [1] * 4,
        "output_padding": [layer.longer] * 2,
    }
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="layer", **options)
    values = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, layer.before, layer.side, layer.side]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, layer.after, 2 * layer.side, 2 * layer.side]),
    ]
    graph = helper.make_graph(
        [node], "layer", values[:1], values[1:], [numpy_helper.from_array(weight.astype(np.float32), "w")]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(made)
    return made


def multiplied(layer: Layer) -> float:
    """Multiplications of the one convolution over those of the transposed one."""
    weight = np.zeros((1, layer.after, layer.taps, layer.taps), np.float32)
    form = phases(weight, stride=2, padding=1, output_padding=layer.longer)
    assert form is not None  # none of these layers is without one
    return form.multiplications((layer.side, layer.side)) / (layer.after * (layer.taps * layer.side) ** 2)


def forms(layer: Layer) -> list[Any]:
    """The layer in each of FORMS."""
    import onnx_ir as ir

    plain = model(layer)
    made = [plain]
    for form in FORMS[1:]:
        whole = ir.from_proto(plain)
        (node,) = of_kind(whole.graph, "ConvTranspose")
        source, weight, builder = node.inputs[0], known(node.inputs[1]), Builder(whole.graph, node)
        assert source is not None and weight is not None  # as `model` makes them
        how: dict[str, int] = {"stride": 2, "padding": 1, "output_padding": layer.longer}
        one, parts = phases(weight, **how), remainders(weight, **how)
        assert one is not None and parts is not None  # none of these layers is without
        output = (
            emit(builder, source, one, None, stride=2) if form == "one" else emit_apart(builder, source, parts, None)
        )
        builder.replace(output)
        made.append(ir.to_proto(whole))
    return made


def times(layer: Layer, rounds: int, threads: int) -> list[list[float]]:
    """Milliseconds of the layer in each of FORMS, in turn."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the others wait meanwhile
    clock = time.process_time if threads == 1 else time.perf_counter
    sessions = [
        onnxruntime.InferenceSession(each.SerializeToString(), options, providers=["CPUExecutionProvider"])
        for each in forms(layer)
    ]
    shape = (1, layer.before, layer.side, layer.side)
    feed = {"x": np.random.default_rng(1).normal(size=shape).astype(np.float32)}
    found: list[list[float]] = [[] for _ in FORMS]
    for _ in range(rounds + 1):
        for session, list_ in zip(sessions, found, strict=True):
            start = clock()
            session.run(None, feed)
            list_.append(1000 * (clock() - start))
    return [each[1:] for each in found]


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="of each form (default: %(default)s)")
    parser.add_argument("--sides", type=int, nargs="*", metavar="N", help="layers of these sides (default: all)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the engine (default: %(default)s)")
    options = parser.parse_args()
    print("| planes, taps | side | transposed, ms | as one, ms | apart, ms | the one multiplies |")
    print("|---|---|---|---|---|---|")
    for layer in LAYERS:
        if options.sides and layer.side not in options.sides:
            continue
        each = " | ".join(shown(found) for found in times(layer, options.rounds, options.threads))
        name = f"{layer.before} -> {layer.after}, {layer.taps}x{layer.taps}"
        print(f"| {name} | {layer.side} | {each} | x {multiplied(layer):.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
