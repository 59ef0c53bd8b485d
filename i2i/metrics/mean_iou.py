"""Mean intersection over union of label maps."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.metrics.metric import check, colour_classes, mean, named


class MeanIoU:
    """Mean over the classes of intersection / union, both counted in pixels over the whole set.

    A class that neither the outputs nor the truths show is left out. The value of one picture is the same over that
    picture alone, so their mean is not the value of the set. `update` raises `I2IError` (E_PALETTE) for a colour that
    the palette does not have.
    """

    name: ClassVar[str] = "mean_iou"
    higher_is_better: ClassVar[bool | None] = True
    for_labels: ClassVar[bool] = True

    def __init__(self, *, palette: tuple[tuple[int, int, int], ...]) -> None:
        self._palette = palette
        self._counts: list[Tensor] = []  # one truth-by-output table of pixels per picture

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch, uint8 N,H,W,3."""
        check(output, target)
        classes = len(self._palette)
        cells = colour_classes(target, self._palette) * classes + colour_classes(output, self._palette)
        for picture in cells.flatten(1).cpu():
            self._counts.append(torch.bincount(picture, minlength=classes * classes).view(classes, classes))

    def compute(self) -> dict[str, float]:
        """`{"mean_iou": 0..1}`."""
        return named(self.name, _mean_iou(torch.stack(self._counts).sum(0)) if self._counts else None)

    def per_image(self) -> list[float | None]:
        """0..1 for each picture."""
        return [_mean_iou(counts) for counts in self._counts]


def _mean_iou(counts: Tensor) -> float | None:
    hit = counts.diagonal()
    union = counts.sum(0) + counts.sum(1) - hit
    return mean([h / u if u else None for h, u in zip(hit.tolist(), union.tolist(), strict=True)])
