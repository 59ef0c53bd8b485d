"""Peak signal-to-noise ratio in dB."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.errors import missing_package
from i2i.metrics.per_picture import PerPicture

CAP = 100.0


class Psnr(PerPicture):
    """Mean over the pictures of 10 log10(255^2 / mean squared error) on uint8 values, all channels together.

    Identical pictures would score infinity, which no mean and no JSON survives: every picture counts at most 100 dB
    (about one value in 150,000 wrong by one level).
    """

    name: ClassVar[str] = "psnr"
    higher_is_better: ClassVar[bool | None] = True

    def values(self, output: Tensor, target: Tensor) -> list[float | None]:
        """Each picture's value in dB."""
        return list(psnr(output, target))


def psnr(output: Tensor, target: Tensor) -> list[float]:
    """The value in dB of each picture of two uint8 N,H,W,C batches, at most `CAP`."""
    try:
        from torchmetrics.functional.image import peak_signal_noise_ratio
    except ImportError:
        raise missing_package("torchmetrics", "metrics") from None
    values = peak_signal_noise_ratio(
        output.double(), target.double(), data_range=255.0, dim=(1, 2, 3), reduction="none"
    )
    return [min(float(value), CAP) for value in values]
