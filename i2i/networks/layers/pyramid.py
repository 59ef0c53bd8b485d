"""Half and double the resolution, and the Laplacian pyramid between them.

Burt and Adelson 1983, "The Laplacian Pyramid as a Compact Image Code"; as GANs use it: Denton et al. 2015, arXiv
1506.05751, section 2.2. Both operations are fixed, separable, keep a constant picture as it is, stay within the range
of what comes in, and are centred between pixels, so that nothing is shifted.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_BLUR = (1 / 8, 3 / 8, 3 / 8, 1 / 8)  # across and down


def halved(planes: Tensor) -> Tensor:
    """Planes (N, C, 2H, 2W), blurred by 1-3-3-1 and decimated, as (N, C, H, W); the border's pixels go on outside."""
    taps = torch.tensor(_BLUR, dtype=planes.dtype, device=planes.device)
    count = planes.shape[1]
    kernel = torch.outer(taps, taps).expand(count, 1, 4, 4)
    return F.conv2d(F.pad(planes, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, groups=count)


def doubled(planes: Tensor) -> Tensor:
    """Planes (N, C, H, W) as (N, C, 2H, 2W), bilinear: away from the border the transpose of `halved`, times 4."""
    return F.interpolate(planes, scale_factor=2, mode="bilinear", align_corners=False)


def pyramid(planes: Tensor, levels: int) -> list[Tensor]:
    """The planes at `levels` resolutions, each half of the next; the last are the planes themselves."""
    found = [planes]
    for _ in range(levels - 1):
        found.append(halved(found[-1]))
    return found[::-1]
