"""Distance between an output and the truth, pixel by pixel."""

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


def _check_shapes(output: Tensor, target: Tensor) -> None:
    if output.shape != target.shape:
        raise ValueError(f"output {tuple(output.shape)} and target {tuple(target.shape)} differ in shape")
