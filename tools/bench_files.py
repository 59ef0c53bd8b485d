"""What `tools/bench_engines.py` and `bench_convert.py` time: networks with random weights, their files, and one large
convolution.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto

    from i2i.images.card import ImageCard

FILES = ("plain", "rewritten", "int8")


class Case(NamedTuple):
    """A network, its arguments, the side of the pictures, and how many domains it has."""

    network: str
    arguments: dict[str, Any]
    side: int
    domains: int = 0


CASES = {
    "unet256": Case("unet", {"channels": 64, "depth": 8}, 256),
    "resnet9": Case("resnet", {"channels": 64, "blocks": 9}, 256),
    "stargan": Case("stargan", {"channels": 64, "condition_channels": 5}, 128, domains=5),
}
TINY = {
    "unet256": Case("unet", {"channels": 8, "depth": 4}, 32),
    "resnet9": Case("resnet", {"channels": 8, "blocks": 1}, 32),
    "stargan": Case("stargan", {"channels": 8, "blocks": 1, "condition_channels": 5}, 32, domains=5),
}
_LARGE = {"planes": 256, "side": 64, "kernel": 3}


def network(case: Case) -> tuple[Any, tuple[Any, ...]]:
    """The network in evaluation mode, and what it takes beside the planes."""
    import torch

    from i2i.networks import NETWORKS

    torch.manual_seed(0)
    made = NETWORKS[case.network](**case.arguments).eval()
    return made, (torch.zeros(1, dtype=torch.int64),) if case.domains else ()


def planes(case: Case) -> np.ndarray:
    """Its planes: one picture of noise, -1..1."""
    return np.random.default_rng(0).uniform(-1, 1, (1, 3, case.side, case.side)).astype(np.float32)


def feed(case: Case) -> dict[str, np.ndarray]:
    """The inputs of a file: one picture of noise."""
    picture = np.random.default_rng(0).integers(0, 256, (1, case.side, case.side, 3), np.uint8)
    return {"image": picture} | ({"domain": np.zeros(1, np.int64)} if case.domains else {})


def session(path: Path, threads: int, *, profile: str = "") -> Any:
    """A session as `i2i.load` opens it; `profile`: where its trace goes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, threads
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def graph(case: Case, *, rewrites: bool = True, integers: bool = False) -> ModelProto:
    """The network as a file's graph, as torch writes it or rewritten, for floats or for integers."""
    from i2i.export.graph import build
    from i2i.weights.wrapper import Wrapped

    made, _ = network(case)
    return build(Wrapped(made, card_of(case)), rewrites=rewrites, arithmetic="int8" if integers else "fp32")


def card_of(case: Case) -> ImageCard:
    """What its file says of it."""
    from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing

    made, _ = network(case)
    names = tuple(f"domain {number}" for number in range(case.domains))
    return ImageCard(
        name=case.network,
        sizing=Sizing(multiple=made.multiple, minimum=made.minimum),
        condition=Condition(kind="domains", names=names) if names else None,
        network=NetworkSpec(type=case.network, arguments=case.arguments),
        method="none",
    )


def in_integers(case: Case) -> ModelProto:
    """The network with all layers in integers, whatever it does to the pictures of random weights."""
    from i2i.export.graph import set_card
    from i2i.export.int8.feeds import Feeds
    from i2i.export.int8.quantise import Calibration, quantise
    from i2i.images.card import Precision

    made = quantise(graph(case, integers=True), Calibration(Feeds([feed(case)], [feed(case)]), psnr=0.0))
    layers = (made.layers - len(made.floating), made.layers)
    precision = Precision(arithmetic="int8", weights="int8", psnr=round(made.psnr, 2), target="any", layers=layers)
    set_card(made.model, card_of(case).model_copy(update={"precision": precision}))
    return made.model


def write(case: Case, folder: Path) -> None:
    """The network as torch writes it, rewritten, and in integers: FOLDER/{plain,rewritten,int8}.onnx."""
    files = {"plain": graph(case, rewrites=False), "rewritten": graph(case), "int8": in_integers(case)}
    for name, model in files.items():
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def multiplications(path: Path, case: Case) -> float:
    """How many multiplications the convolutions of a plain file do for one picture."""
    import onnx
    import onnxruntime

    model = onnx.load(path)
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name) for node in nodes for name in (node.input[0], node.output[0])
    )
    engine = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = [name for node in nodes for name in (node.input[0], node.output[0])]
    sizes = [values.size for values in engine.run(wanted, feed(case))]
    total = 0.0
    for node, before, after in zip(nodes, sizes[::2], sizes[1::2], strict=True):
        _, second, *kernel = shapes[node.input[1]]
        # A tap of a transposed convolution meets every input, one of an ordinary one makes every output.
        total += (
            before * second * np.prod(kernel) if node.op_type == "ConvTranspose" else after * second * np.prod(kernel)
        )
    return total


def large_convolution(precision: str, folder: Path, threads: int) -> tuple[Callable[[], object], float]:
    """A step of one large convolution, and how many multiplications it does."""
    planes_, side, kernel = _LARGE["planes"], _LARGE["side"], _LARGE["kernel"]
    count = float(planes_ * planes_ * kernel * kernel * side * side)
    if precision == "bf16":
        import torch

        layer = torch.nn.Conv2d(planes_, planes_, kernel, padding=1, bias=False)
        layer = layer.to(torch.bfloat16).to(memory_format=torch.channels_last)
        given = torch.rand(1, planes_, side, side).to(torch.bfloat16).to(memory_format=torch.channels_last)

        def step() -> object:
            with torch.inference_mode():
                return layer(given)

        return step, count
    path = folder / f"large_{precision}.onnx"
    path.write_bytes(_large_model(precision))
    engine = session(path, threads)
    kind = np.uint8 if precision == "int8" else np.float32
    feed_ = {"x": np.ones((1, planes_, side, side), kind)}
    return lambda: engine.run(None, feed_), count


def _large_model(precision: str) -> bytes:
    """The convolution as a graph: Conv, or QLinearConv of 8-bit numbers."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    planes_, side, kernel = _LARGE["planes"], _LARGE["side"], _LARGE["kernel"]
    weight = np.random.default_rng(0).integers(-64, 65, (planes_, planes_, kernel, kernel))
    options: dict[str, Any] = {"pads": [kernel // 2] * 4, "kernel_shape": [kernel] * 2}
    if precision == "int8":
        one, zero = np.float32(1), np.uint8(0)
        constants = {"s": one, "z": zero, "w": weight.astype(np.int8), "ws": np.ones(planes_, np.float32)}
        constants |= {"wz": np.zeros(planes_, np.int8), "ys": np.float32(1e4)}
        node = helper.make_node("QLinearConv", ["x", "s", "z", "w", "ws", "wz", "ys", "z"], ["y"], **options)
        kind = TensorProto.UINT8
    else:
        constants, kind = {"w": weight.astype(np.float32)}, TensorProto.FLOAT
        node = helper.make_node("Conv", ["x", "w"], ["y"], **options)
    shape = [1, planes_, side, side]
    values = [helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y")]
    graph = helper.make_graph(
        [node],
        "large",
        values[:1],
        values[1:],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
