"""How planes of any size meet a network that takes only some sizes, and how the result gets its size back.

`pad` is symmetric: half of the padding goes before the picture, half behind. A network reads the padding through a
wide receptive field, and reflected content runs the wrong way (light from the wrong side). With all of it at one side
a 130 pixel wide picture at a multiple of 128 would have its last 2 pixels decided by a cell that is 98 % invented;
split in halves no cell is more than half invented, and every edge of the picture keeps the same distance from the
zeros that the convolutions see outside.

Everything here is made of operations that torch and ONNX opset 18 define alike and that take sizes known only at run
time: `F.pad(mode="reflect")` fails when the padding reaches the side, and the two engines' own antialiased resizing
need not agree; a gather and a matrix product do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from i2i.errors import I2IError
from i2i.images.card import Sizing


@dataclass(frozen=True)
class Fitted:
    """Planes (N, C, H', W') that a network takes, and the way back to the `height` x `width` that came.

    `top` and `left` count the padded rows above and columns left of the picture.
    """

    planes: Tensor
    height: int
    width: int
    top: int = 0
    left: int = 0


def fit(picture: Tensor, sizing: Sizing, encode: Callable[[Tensor], Tensor]) -> Fitted:
    """A picture (N, H, W, C) as the planes that `encode` makes of pictures, of a size that the network takes.

    It is padded as a picture, whose pixels are few bytes side by side, and resized as planes. Raises `I2IError`
    (E_SIZE) when `fixed` refuses.
    """
    height, width = picture.shape[1], picture.shape[2]
    if sizing.rule == "pad":
        tall, wide = padded(height, sizing), padded(width, sizing)
        top, left = (tall - height) // 2, (wide - width) // 2
        rows = reflected(height, before=top, length=tall, device=picture.device)
        columns = reflected(width, before=left, length=wide, device=picture.device)
        return Fitted(encode(picture.index_select(1, rows).index_select(2, columns)), height, width, top, left)
    assert sizing.width is not None and sizing.height is not None  # the card's own check
    if sizing.rule == "resize":
        return Fitted(resize(encode(picture), height=sizing.height, width=sizing.width), height, width)
    if (height, width) != (sizing.height, sizing.width):
        wanted = f"{sizing.width} x {sizing.height} pixels (width x height)"
        raise I2IError("E_SIZE", f"this model takes pictures of {wanted}, got {width} x {height}; resize the picture")
    return Fitted(encode(picture), height, width)


def restore(output: Tensor, fitted: Fitted, sizing: Sizing, *, scale: int = 1) -> Tensor:
    """Bring the network's output (N, C, H' * scale, W' * scale) to `scale` times the size that came."""
    height, width = fitted.height * scale, fitted.width * scale
    if sizing.rule == "resize":
        return resize(output, height=height, width=width)
    if sizing.rule == "pad":
        top, left = fitted.top * scale, fitted.left * scale
        return output[:, :, top : top + height, left : left + width]
    return output


def padded(length: int, sizing: Sizing) -> int:
    """The next multiple of `sizing.multiple` that is at least `length` and `sizing.minimum`."""
    step = sizing.multiple
    smallest = -(-sizing.minimum // step) * step
    # Not `max`: `length` is a symbol while the graph is exported, and comparing it would fix the choice.
    larger: int = torch.sym_max((length + step - 1) // step * step, smallest)  # type: ignore[assignment]
    return larger


def reflected(size: int, *, before: int, length: int, device: torch.device | None = None) -> Tensor:
    """The indices (`length`,) into `size` values that continue them by reflection, as often as needed.

    The value at index 0 lies at position `before`. The edge value is not repeated: 0 1 2 gives 2 1 0 1 2 1 0 ...
    """
    positions = torch.arange(length, device=device) - before
    # A size of one pixel reflects into itself: the period must not become 0.
    period = torch.full((1,), 2, dtype=torch.int64, device=device) * (size - 1)
    period = period.clamp(min=1)
    position = torch.remainder(positions, period)  # by a tensor: by a symbolic int it does not export
    return torch.minimum(position, period - position)


def resize(planes: Tensor, *, height: int, width: int) -> Tensor:
    """Planes (N, C, H, W) at `height` x `width`: bilinear, antialiased when shrinking (as Pillow and torch do it)."""
    rows = resize_weights(planes.shape[2], height, planes.device)
    columns = resize_weights(planes.shape[3], width, planes.device)
    return rows @ planes @ columns.transpose(0, 1)


def resize_weights(size: int, length: int, device: torch.device | None = None) -> Tensor:
    """The weights (`length`, `size`) of each old pixel in each new one: a triangle, as wide as a new pixel if larger.

    Rows sum to 1: at the borders the triangle is cut off and normalised again.
    """
    old = torch.arange(size, device=device, dtype=torch.float32) + 0.5
    new = torch.arange(length, device=device, dtype=torch.float32) + 0.5
    # Sizes are taken from tensors, not from ints: known only at run time in an exported graph.
    step = torch.ones(1, device=device) * size / length
    weights = (1.0 - (old - new.reshape(-1, 1) * step).abs() / step.clamp(min=1.0)).clamp(min=0.0)
    return weights / weights.sum(dim=1, keepdim=True)
