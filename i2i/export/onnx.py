"""One .onnx file that any program can run: uint8 picture in, uint8 picture out, proven equal before it is written."""

from __future__ import annotations

import copy
import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from i2i.errors import I2IError, missing_package
from i2i.export.parity import ParityReport, compare
from i2i.files import publish_bytes
from i2i.images.card import ImageCard, Precision
from i2i.runtime.ports import check
from i2i.runtime.structure import examine
from i2i.weights.session import TorchSession
from i2i.weights.store import require_finite
from i2i.weights.wrapper import Wrapped

if TYPE_CHECKING:
    from onnx import ModelProto

    from i2i.export.graph import Arithmetic
    from i2i.export.int8.quantise import Calibration

LEAST_PSNR = 40.0  # dB to the model in 32 bits, where equality is not to be had


def export_onnx(
    generator: nn.Module,
    card: ImageCard,
    path: str | Path,
    *,
    overwrite: bool = False,
    rewrites: bool = True,
    half_weights: bool = False,
    half: bool = False,
    calibration: Calibration | None = None,
) -> ParityReport:
    """Export a generator with its card to `path`, one file without external data.

    Inputs and outputs are in README.md. `rewrites`: the graph is made faster first (`i2i.export.rewrites`).

    * `half_weights`: weights are rounded to 16-bit numbers and stored so, and computed with in 32 bits;
    * `half`: the graph computes in 16 bits (`i2i.export.half`);
    * `calibration`: it computes in 8-bit integers (`i2i.export.int8`).

    They exclude each other and need the rewrites. The card in the file says which. Nothing is written unless
    onnxruntime gives what torch gives: to a level for 32 bits, also with rounded weights; to `LEAST_PSNR` dB for 16;
    with integers for the graph that they are made of, and they to what the calibration asks. The report is of that.
    Of a label map less than 1 % of the pixels may have another label where a PSNR is asked of other pictures.

    Raises `I2IError`: E_ONNX_PARITY with the figures, E_QUANTISATION, E_EXISTS without `overwrite`, E_NONFINITE for NaN
    or infinite weights, E_USAGE, E_MISSING_PACKAGE, E_NOSPACE, E_IO.
    """
    path = Path(path)
    for package in ("onnx", "onnxscript", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise missing_package(package, "export")
    if sum([half_weights, half, calibration is not None]) > 1:
        raise I2IError("E_USAGE", "a file has one precision; ask for half weights, fp16 or int8")
    if not rewrites and (half_weights or half or calibration is not None):
        raise I2IError("E_USAGE", "half weights, fp16 and int8 need the rewrites")
    if path.exists() and not overwrite:
        raise I2IError("E_EXISTS", "is there already; choose another name, or use --overwrite", path=path)
    require_finite(generator.state_dict(), path)
    generator = copy.deepcopy(generator).to("cpu", torch.float32)  # the caller's stays where it is
    if half_weights:
        model, report = _with_half_weights(generator, card, path)
    elif half:
        model, report = _in_half(generator, card, path)
    else:
        model, report = _plain(
            generator, card, path, rewrites=rewrites, arithmetic="fp32" if calibration is None else "int8"
        )
        if calibration is not None:
            model = _in_integers(generator, model, card, calibration)
    publish_bytes(path, _serialised(model, card), overwrite=overwrite)
    return report


def _plain(
    generator: nn.Module, card: ImageCard, path: Path, *, rewrites: bool, arithmetic: Arithmetic
) -> tuple[ModelProto, ParityReport]:
    from i2i.export.graph import build  # loads the exporter

    model = build(Wrapped(generator, card), rewrites=rewrites, arithmetic=arithmetic)
    return model, _proven(generator, card, model, path)


def _with_half_weights(generator: nn.Module, card: ImageCard, path: Path) -> tuple[ModelProto, ParityReport]:
    """The model of rounded weights, equal to the rounded network, and near enough to the one that came."""
    from i2i.export.graph import build, set_card
    from i2i.export.stored import factors, stored_in_half

    rounded = copy.deepcopy(generator)
    with torch.no_grad():
        for tensor in rounded.parameters():
            if tensor.ndim > 1:
                tensor.copy_(tensor.to(torch.float16))
    require_finite(rounded.state_dict(), path)
    model = build(Wrapped(rounded, card), finish=partial(stored_in_half, factors=factors(rounded)))
    report = _proven(rounded, card, model, path)
    away = _proven(generator, card, model, path, least_psnr=LEAST_PSNR)
    precision = Precision(weights="fp16", **_nearness(card, away.psnr, away.max_difference, away.share))
    set_card(model, card.model_copy(update={"precision": precision}))
    return model, report


def _in_half(generator: nn.Module, card: ImageCard, path: Path) -> tuple[ModelProto, ParityReport]:
    from i2i.export.graph import build, set_card
    from i2i.export.half import in_half

    model = build(Wrapped(generator, card), arithmetic="fp16", finish=in_half)
    report = _proven(generator, card, model, path, least_psnr=LEAST_PSNR)
    near = _nearness(card, report.psnr, report.max_difference, report.share)
    precision = Precision(arithmetic="fp16", weights="fp16", **near)
    set_card(model, card.model_copy(update={"precision": precision}))
    return model, report


def _in_integers(generator: nn.Module, model: ModelProto, card: ImageCard, calibration: Calibration) -> ModelProto:
    from i2i.export.graph import build, set_card
    from i2i.export.int8.quantise import milliseconds, quantise

    made = quantise(model, calibration, labels=card.target.colour == "labels")
    if calibration.on_speed is not None:
        usual = build(Wrapped(generator, card))
        calibration.on_speed(*milliseconds([usual, made.model], calibration.feeds.held_out[0]))
    precision = Precision(
        arithmetic="int8",
        weights="int8",
        **_nearness(card, made.psnr, made.largest_difference, made.relabelled),
        target=calibration.target,
        layers=(made.layers - len(made.floating), made.layers),
    )
    set_card(made.model, card.model_copy(update={"precision": precision}))
    return made.model


def _nearness(card: ImageCard, psnr: float, largest: int, relabelled: float) -> dict[str, Any]:
    """What a card says of how near pictures are to those in 32 bits."""
    if card.target.colour == "labels":
        return {"relabelled": round(relabelled, 6)}
    return {"psnr": round(psnr, 2), "largest_difference": largest}


def _proven(
    generator: nn.Module, card: ImageCard, model: ModelProto, path: Path, *, least_psnr: float | None = None
) -> ParityReport:
    report = compare(TorchSession(generator, card), _serialised(model, card), least_psnr=least_psnr)
    if report.failed:
        raise I2IError("E_ONNX_PARITY", f"ONNX and torch differ, nothing was written: {report}", path=path)
    return report


def _serialised(model: ModelProto, card: ImageCard) -> bytes:
    data: bytes = model.SerializeToString(deterministic=True)
    check(examine(data), card)  # what our own runtime asks of a file before it opens one
    return data
