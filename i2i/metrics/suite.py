"""Several metrics fed with the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.metrics import METRICS
from i2i.metrics.features import Features, Remembering, default_features
from i2i.metrics.fid import Fid
from i2i.metrics.metric import Metric
from i2i.metrics.of_features import OfFeatures

PICTURES = ("psnr", "ssim", "l1", "gradient", "spectrum", "checkerboard")


class Suite:
    """The named metrics for pictures that look as `pixels` says; each value is the metric's own.

    Without names: psnr, ssim, l1, gradient, spectrum and checkerboard, or accuracy and mean_iou for label maps.
    `features` is the network of those that compare features; without it the default one is loaded when it is first
    needed, and each picture goes through it once. `weights` is the file for `fid`. Raises `I2IError` (E_RECIPE) for an
    unknown name or a metric of the wrong kind.
    """

    def __init__(
        self,
        names: Sequence[str] = (),
        *,
        pixels: Pixels,
        features: Features | None = None,
        weights: Path | None = None,
    ) -> None:
        self._features = Remembering(features or default_features)
        chosen = tuple(dict.fromkeys(names)) or default_names(pixels)
        given: dict[type, dict[str, Any]] = {OfFeatures: {"features": self._features}, Fid: {"weights": weights}}
        self.metrics = {name: _metric(name, pixels, given) for name in chosen}

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch to every metric: both uint8 N,H,W,C."""
        for metric in self.metrics.values():
            metric.update(output, target)
        self._features.forget()

    def compute(self) -> dict[str, float]:
        """The value of each metric that is defined, in the order of the names."""
        return {name: value for metric in self.metrics.values() for name, value in metric.compute().items()}

    def per_image(self) -> dict[str, list[float | None]]:
        """For each metric that single pictures have: their values in the order they came."""
        values = {name: metric.per_image() for name, metric in self.metrics.items()}
        return {name: column for name, column in values.items() if column is not None}


def default_names(pixels: Pixels) -> tuple[str, ...]:
    """The metrics that are computed when none are named."""
    return all_names(pixels) if pixels.colour == "labels" else PICTURES


def all_names(pixels: Pixels) -> tuple[str, ...]:
    """Every metric that fits the pictures and needs nothing from outside."""
    return tuple(name for name in METRICS if name != "fid" and METRICS[name].for_labels == (pixels.colour == "labels"))


def _metric(name: str, pixels: Pixels, given: dict[type, dict[str, Any]]) -> Metric:
    """The metric, with what is `given` to those of its class."""
    kind = METRICS[name]
    if kind.for_labels != (pixels.colour == "labels"):
        scored = "label maps" if kind.for_labels else "pictures"
        raise I2IError(
            "E_RECIPE", f"{name} scores {scored}, these are {pixels.colour}; use {', '.join(all_names(pixels))}"
        )
    if kind.for_labels:
        metric: Metric = kind(palette=pixels.palette)
    else:
        metric = kind(**next((arguments for base, arguments in given.items() if issubclass(kind, base)), {}))
    return metric
