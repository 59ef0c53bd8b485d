"""The contract of a metric, and the pieces that several metrics share.

A metric is fed batches of outputs and truths and then asked for one number. Undefined values never become NaN or
infinity: a picture that cannot be scored is `None` in `per_image`, and a set that cannot be scored leaves the metric's
name out of `compute`.
"""

from __future__ import annotations

import math
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from i2i.errors import I2IError

# Rec. 601 luma, the weights JPEG uses.
LUMA = (0.299, 0.587, 0.114)


class Metric(Protocol):
    """One number for a set of pictures.

    `name` is the key in tables, logs and JSON. `higher_is_better` is None where the value is a ratio to the truth: the
    nearer to 1 the better. `for_labels` says that it scores label maps; its `__init__` then takes `palette`.
    """

    name: ClassVar[str]
    higher_is_better: ClassVar[bool | None]
    for_labels: ClassVar[bool]

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add a batch: both uint8 N,H,W,C of one shape, C = 1, 3 or 4. Raises ValueError otherwise."""

    def compute(self) -> dict[str, float]:
        """The value over everything added so far as `{name: finite value}`; empty where it is undefined."""

    def per_image(self) -> list[float | None] | None:
        """The value of each picture in the order they came; None for a metric that only a set has."""


def check(output: Tensor, target: Tensor) -> None:
    """Raise ValueError unless both are uint8 N,H,W,C of one shape."""
    if output.dtype != torch.uint8 or target.dtype != torch.uint8 or output.ndim != 4 or output.shape != target.shape:
        raise ValueError(
            f"expected two uint8 N,H,W,C tensors of one shape, got {_named(output)} and {_named(target)};"
            " compare pictures of equal size"
        )


def _named(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def luminance(pixels: Tensor) -> Tensor:
    """uint8 N,H,W,C -> float64 N,H,W in 0..255: the grey channel, or Rec. 601 luma of the colours without alpha."""
    if pixels.shape[-1] == 1:
        return pixels[..., 0].double()
    return pixels[..., :3].double() @ torch.tensor(LUMA, dtype=torch.float64, device=pixels.device)


def mean(values: list[float | None]) -> float | None:
    """The mean of the values that are defined, None when there are none."""
    defined = [value for value in values if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


def named(name: str, value: float | None) -> dict[str, float]:
    """`{name: value}`, or nothing where the value is undefined."""
    return {} if value is None else {name: value}


def gain(higher_is_better: bool | None, value: float) -> float:
    """A number that grows as the metric gets better, for "keep the best" and "show the worst".

    The value, its negative, or for a ratio to the truth the negative distance from 1 in octaves (0.5 and 2 are alike).
    """
    if higher_is_better is None:
        return -abs(math.log2(value)) if value > 0 else -math.inf
    return value if higher_is_better else -value


def colour_classes(pixels: Tensor, palette: tuple[tuple[int, int, int], ...]) -> Tensor:
    """uint8 N,H,W,3 painted with the palette -> int64 N,H,W class numbers.

    Raises `I2IError` (E_PALETTE) for a colour that the palette does not have.
    """
    colours = torch.tensor(palette, dtype=torch.int64, device=pixels.device)
    matches = _packed(pixels).unsqueeze(-1) == _packed(colours)
    if not bool(matches.any(-1).all()):
        unknown = pixels.reshape(-1, 3)[~matches.any(-1).reshape(-1)][0].tolist()
        raise I2IError("E_PALETTE", f"colour {tuple(unknown)} is not in the palette of {len(palette)} colours")
    return matches.to(torch.uint8).argmax(-1)


def _packed(colours: Tensor) -> Tensor:
    wide = colours.to(torch.int64)
    return wide[..., 0] * 65536 + wide[..., 1] * 256 + wide[..., 2]
