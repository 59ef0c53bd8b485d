"""Which picture sizes a network takes, and the error that says which one would fit."""

from __future__ import annotations

from torch import Tensor

from i2i.errors import I2IError


def check_size(planes: Tensor, *, multiple: int, minimum: int, network: str) -> None:
    """Raise `I2IError` (E_SIZE) unless height and width of (N, C, H, W) are multiples and not below the minimum."""
    height, width = int(planes.shape[-2]), int(planes.shape[-1])
    fits = tuple(fitting(side, multiple=multiple, minimum=minimum) for side in (height, width))
    if fits != (height, width):
        message = (
            f"{network} takes sizes that are multiples of {multiple}, at least {minimum}; "
            f"got {width}x{height}, the next that fits is {fits[1]}x{fits[0]}"
        )
        raise I2IError("E_SIZE", message)


def fitting(side: int, *, multiple: int, minimum: int) -> int:
    """The smallest size from `side` on that is a multiple and not below the minimum."""
    return max(minimum, -(-side // multiple) * multiple)


def check_exactly(planes: Tensor, *, size: int, network: str) -> None:
    """Raise `I2IError` (E_SIZE) unless (N, C, H, W) planes are `size` pixels high and wide."""
    height, width = int(planes.shape[-2]), int(planes.shape[-1])
    if (height, width) != (size, size):
        message = f"{network} takes {size}x{size} alone; got {width}x{height}, the next that fits is {size}x{size}"
        raise I2IError("E_SIZE", message)
