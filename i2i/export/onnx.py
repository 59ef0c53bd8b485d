"""One .onnx file that any program can run: uint8 picture in, uint8 picture out, proven equal before it is written."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import torch
from torch import nn

from i2i.errors import I2IError, missing_package
from i2i.export.parity import ParityReport, compare
from i2i.files import publish_bytes
from i2i.images.card import ImageCard
from i2i.runtime.ports import check
from i2i.runtime.structure import examine
from i2i.weights.session import TorchSession
from i2i.weights.store import require_finite
from i2i.weights.wrapper import Wrapped


def export_onnx(
    generator: nn.Module, card: ImageCard, path: str | Path, *, overwrite: bool = False, rewrites: bool = True
) -> ParityReport:
    """Export a generator with its card to `path`, one file without external data.

    Inputs and outputs are in README.md. `rewrites`: the graph is made faster first (`i2i.export.rewrites`). Nothing is
    written unless onnxruntime gives what torch gives. Raises `I2IError`: E_ONNX_PARITY with the figures, E_EXISTS
    without `overwrite`, E_NONFINITE for NaN or infinite weights, E_MISSING_PACKAGE, E_NOSPACE, E_IO.
    """
    path = Path(path)
    for package in ("onnx", "onnxscript", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise missing_package(package, "export")
    if path.exists() and not overwrite:
        raise I2IError("E_EXISTS", "is there already; choose another name, or use --overwrite", path=path)
    require_finite(generator.state_dict(), path)
    from i2i.export.graph import build  # loads the exporter

    generator = copy.deepcopy(generator).to("cpu", torch.float32)  # the caller's stays where it is

    model = build(Wrapped(generator, card), rewrites=rewrites).SerializeToString(deterministic=True)
    check(examine(model), card)  # what our own runtime asks of a file before it opens one
    report = compare(TorchSession(generator, card), model)
    if report.failed:
        raise I2IError("E_ONNX_PARITY", f"ONNX and torch differ, nothing was written: {report}", path=path)
    publish_bytes(path, model, overwrite=overwrite)
    return report
