"""Distance between an output and the truth, pixel by pixel or step by step."""

from __future__ import annotations

from torch import Tensor


def l1(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference over all values, in the units of the planes (0..2 for planes in -1..1).

    Isola et al. 2017, arXiv 1611.07004, equation 3.
    """
    _check_shapes(output, target)
    return (output - target).abs().mean()


def l2(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference over all values, in squared units of the planes."""
    _check_shapes(output, target)
    return (output - target).square().mean()


def gradient_difference(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of how strongly neighbours differ, across plus down.

    Of planes (N, C, H, W) with sides of at least 2. Mathieu et al. 2016, "Deep Multi-Scale Video Prediction Beyond
    Mean Square Error", arXiv 1511.05440, equation 6 with alpha 1, as means instead of sums. It asks for steps where
    the truth has them and for none where it is flat, of whatever colour.
    """
    _check_shapes(output, target)
    across, down = ((output.diff(dim=side).abs() - target.diff(dim=side).abs()).abs().mean() for side in (-1, -2))
    return across + down


def _check_shapes(output: Tensor, target: Tensor) -> None:
    if output.shape != target.shape:
        raise ValueError(f"output {tuple(output.shape)} and target {tuple(target.shape)} differ in shape")
