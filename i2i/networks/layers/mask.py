"""The attention mask: a generator also says where it changes nothing, and there the picture stays as it was.

Pumarola et al. 2018, "GANimation", arXiv 1807.09251, section 4.1 and equation 1. Deviation: the mask is smooth because
it is averaged, where the paper has a loss for that: a mask that may alternate from pixel to pixel hides the old picture
between the pixels of the new one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

BLUR = 5  # pixels


def check_planes(in_channels: int, out_channels: int) -> None:
    """Raise ValueError unless a picture could stay as it is: as many planes out as in."""
    if in_channels != out_channels:
        raise ValueError(f"masked keeps parts of the picture: {in_channels} planes in, {out_channels} out; both alike")


def kept(source: Tensor, drawn: Tensor, level: Tensor) -> Tensor:
    """The picture where the mask keeps it, else what is drawn: keep * source + (1 - keep) * drawn, (N, C, H, W).

    `source` and `drawn` (N, C, H, W) in -1..1; keep (N, 1, H, W) in 0..1 is the sigmoid of the means over 5x5 pixels of
    `level` (N, 1, H, W), a last layer's plane before any activation.
    """
    keep = torch.sigmoid(avg_pool2d(level, BLUR, stride=1, padding=BLUR // 2, count_include_pad=False))
    return keep * source + (1 - keep) * drawn
