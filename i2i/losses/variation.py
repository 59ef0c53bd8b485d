"""How much a picture changes from pixel to pixel."""

from __future__ import annotations

from torch import Tensor


def total_variation(planes: Tensor) -> Tensor:
    """Mean squared difference of neighbours across plus that of neighbours down, of planes (N, C, H, W).

    The squared form of zi2zi's code (Tian 2017), as means instead of sums, so that it does not grow with the size.
    """
    across = (planes[..., :, 1:] - planes[..., :, :-1]).square().mean()
    down = (planes[..., 1:, :] - planes[..., :-1, :]).square().mean()
    return across + down
