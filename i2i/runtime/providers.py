"""Where a model runs: onnxruntime's execution providers by the words of `--provider`.

The CPU alone has been measured by us; the others are written for, by onnxruntime's documentation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

from i2i.errors import I2IError
from i2i.tables import unknown

Provider = Literal["auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino"]
PROVIDERS: tuple[str, ...] = get_args(Provider)


class Engine(NamedTuple):
    """A provider: onnxruntime's name of it, the settings it is given, and how it is installed.

    `device`: where onnxruntime keeps its tensors, for binding; "cpu" where it takes and gives those of the CPU.
    """

    name: str
    options: dict[str, str]
    install: str
    device: str = "cpu"


_GPU = 'pip install "i2i[gpu]" in place of onnxruntime'
ENGINES: dict[str, Engine] = {
    "cpu": Engine("CPUExecutionProvider", {}, 'pip install "i2i[onnx]"'),
    # By default every convolution is tried out in all ways at each new size of picture.
    "cuda": Engine("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"}, _GPU, "cuda"),
    "tensorrt": Engine("TensorrtExecutionProvider", {}, f"{_GPU}, and TensorRT", "cuda"),
    "coreml": Engine("CoreMLExecutionProvider", {}, 'pip install "i2i[onnx]" on macOS'),
    "directml": Engine("DmlExecutionProvider", {}, "pip install onnxruntime-directml in place of onnxruntime"),
    "openvino": Engine("OpenVINOExecutionProvider", {}, "pip install onnxruntime-openvino in place of onnxruntime"),
}
# What `auto` looks for, in this order: packages that one installs for the sake of it. TensorRT builds an engine at
# each new size, and CoreML is part of every onnxruntime on macOS: these have to be asked for.
AUTO = ("cuda", "directml", "openvino")


def choose(provider: str, available: Sequence[str]) -> list[str]:
    """The providers to try, by our words, the CPU last; `available`: onnxruntime's names of those it was built with.

    Raises `I2IError`: E_USAGE for an unknown word, E_MISSING_PACKAGE for one that is not there, with the remedy.
    """
    if provider not in PROVIDERS:
        raise I2IError("E_USAGE", unknown("provider", provider, PROVIDERS))
    if provider == "auto":
        found = [word for word in AUTO if ENGINES[word].name in available]
        return [*found, "cpu"]
    if ENGINES[provider].name not in available:
        message = f"this onnxruntime has no {provider}; run: {ENGINES[provider].install}, or take --provider auto"
        raise I2IError("E_MISSING_PACKAGE", message)
    return ["cpu"] if provider == "cpu" else [provider, "cpu"]


def require_started(provider: str, first: str) -> str:
    """Our word for the provider that a session named `first` began with.

    Raises `I2IError` (E_MISSING_PACKAGE) where another one was asked for: it is there and cannot be started.
    """
    started = next((word for word, engine in ENGINES.items() if engine.name == first), first)
    if provider not in ("auto", started):
        message = f"{provider} is installed but cannot be started here: its driver or libraries are missing or too old"
        raise I2IError("E_MISSING_PACKAGE", f"{message}; take --provider auto")
    return started


def session_options(onnxruntime: Any, *, threads: int | None, lanes: int) -> Any:
    """The engine's settings: one picture on all threads, or, of several `lanes`, each picture on its own thread."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1 if lanes > 1 else threads or 0
    # Pictures of many sizes would leave one memory plan each.
    options.enable_mem_pattern = False
    # Bytes that look like onnxruntime's own format would bypass what was examined.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return options


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
