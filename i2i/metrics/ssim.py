"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, equation 13)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from i2i.errors import missing_package
from i2i.metrics.per_picture import PerPicture

WINDOW = 11
SIGMA = 1.5


class Ssim(PerPicture):
    """Mean over the pictures of SSIM: 11-pixel Gaussian window of sigma 1.5, K1 0.01, K2 0.03, range 255.

    As in the paper only windows that lie wholly inside the picture count, and the channels are averaged. A picture
    under 11 pixels in width or height has no such window: its value is None and it is left out of the mean.
    """

    name: ClassVar[str] = "ssim"
    higher_is_better: ClassVar[bool | None] = True

    def values(self, output: Tensor, target: Tensor) -> list[float | None]:
        """The similarity of each picture, None for those too small."""
        return ssim(output, target)


def ssim(output: Tensor, target: Tensor) -> list[float | None]:
    """The similarity of each picture of two uint8 N,H,W,C batches; None under 11 pixels."""
    try:
        from torchmetrics.functional.image import structural_similarity_index_measure
    except ImportError:
        raise missing_package("torchmetrics", "metrics") from None
    if min(output.shape[1:3]) < WINDOW:
        return [None] * len(output)
    x, y = output.permute(0, 3, 1, 2).double(), target.permute(0, 3, 1, 2).double()  # N,C,H,W
    _, local = structural_similarity_index_measure(
        x, y, sigma=SIGMA, kernel_size=WINDOW, data_range=255.0, reduction="none", return_full_image=True
    )
    edge = WINDOW // 2  # the library pads by reflection; those windows are cut off again
    inside = local[..., edge : local.shape[-2] - edge, edge : local.shape[-1] - edge]
    return [float(value) for value in inside.flatten(1).mean(1)]
