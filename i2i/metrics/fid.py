"""Fréchet distance between the Inception features of outputs and truths (Heusel et al. 2017, arXiv 1706.08500)."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from i2i.errors import I2IError, missing_package
from i2i.metrics.metric import check, named

WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"


class Fid:
    """FID as torchmetrics computes it, with the weights of the TensorFlow Inception network that papers use.

    No package carries those weights and nothing is downloaded: `weights` is the file that torch-fidelity publishes as
    `WEIGHTS`. Only its tensors are unpickled. Biased for small sets: papers use 10,000
    pictures and more. Undefined for fewer than two.

    Raises `I2IError`: E_USAGE without weights, E_UNREADABLE for a file that does not hold them, E_MISSING_PACKAGE
    without torch-fidelity.
    """

    name: ClassVar[str] = "fid"
    higher_is_better: ClassVar[bool | None] = False
    for_labels: ClassVar[bool] = False

    def __init__(self, *, weights: Path | None = None) -> None:
        if weights is None:
            message = f"fid needs the weights of Inception, {WEIGHTS}, which torch-fidelity publishes"
            raise I2IError("E_USAGE", f"{message}: --weights FILE; or use kid, which needs no file")
        self._metric = _torchmetrics(weights)
        self._count = 0

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,C."""
        check(output, target)
        self._count += len(output)
        for pixels, real in ((output, False), (target, True)):
            colours = pixels.expand(-1, -1, -1, 3) if pixels.shape[-1] == 1 else pixels[..., :3]
            self._metric.update(colours.permute(0, 3, 1, 2), real=real)

    def compute(self) -> dict[str, float]:
        """`{"fid": value}`; empty for fewer than two pictures."""
        return named(self.name, float(self._metric.compute()) if self._count > 1 else None)

    def per_image(self) -> None:
        """Only a set has a distance."""


def _torchmetrics(path: Path) -> Any:
    """The metric of torchmetrics; torch-fidelity below it unpickles what a file holds, so it gets a copy of tensors."""
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
            raise ValueError("no named tensors")
        from torchmetrics.image.fid import FrechetInceptionDistance

        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, WEIGHTS)
            torch.save(tensors, copy)
            return FrechetInceptionDistance(feature=2048, feature_extractor_weights_path=str(copy))
    except ImportError:
        raise missing_package("torch-fidelity", "metrics") from None
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise I2IError("E_UNREADABLE", f"does not hold the weights of Inception: {error}", path=path) from None
