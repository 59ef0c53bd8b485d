"""Between pictures and planes: uint8 NHWC at the edge, float32 NCHW in the card's value range inside the network.

Pictures and planes are defined in `i2i/images/card.py`. Both directions use only operations that torch and ONNX
define alike, so the exported graph and the torch translator give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from i2i.errors import I2IError
from i2i.images.card import Pixels

_SHOWN_COLOURS = 5


def encode(image: Tensor, pixels: Pixels, value_range: Sequence[float]) -> Tensor:
    """A uint8 picture (N, H, W, `pixels.channels`) as float32 planes (N, `pixels.planes`, H, W).

    0 becomes the low end of `value_range`, 255 the high end. A label map becomes one plane per palette colour: the
    high end where that colour is the nearest one (squared distance; the earlier colour wins a tie), the low end
    elsewhere.
    """
    low, high = value_range
    planes = image.permute(0, 3, 1, 2).to(torch.float32)
    if pixels.colour == "labels":
        return _one_hot(planes, _palette(pixels, image.device)) * (high - low) + low
    return planes * ((high - low) / 255.0) + low


def decode(planes: Tensor, pixels: Pixels, value_range: Sequence[float]) -> Tensor:
    """Planes (N, `pixels.planes`, H, W) as a uint8 picture (N, H, W, `pixels.channels`).

    The low end of `value_range` becomes 0, the high end 255; values outside are clamped, halves are rounded to the
    even level. For a label map the largest plane names the colour (the earlier plane wins a tie).
    """
    low, high = value_range
    if pixels.colour == "labels":
        return _palette(pixels, planes.device)[planes.argmax(dim=1)].to(torch.uint8)
    levels = (planes.to(torch.float32) - low) * (255.0 / (high - low))
    return levels.clamp(0.0, 255.0).round().to(torch.uint8).permute(0, 2, 3, 1)


def check_palette(image: NDArray[np.uint8], pixels: Pixels) -> None:
    """Raise `I2IError` (E_PALETTE) when a label map (H, W, 3) holds a colour that the palette does not name.

    The message counts the unknown colours and shows the most frequent ones with the nearest known colour. Pictures
    of any other `colour` pass unseen.
    """
    if pixels.colour != "labels":
        return
    codes = image.astype(np.int64) @ np.array([65536, 256, 1])
    known = [red * 65536 + green * 256 + blue for red, green, blue in pixels.palette]
    found, counts = np.unique(codes, return_counts=True)
    strange = ~np.isin(found, known)
    if not strange.any():
        return
    found, counts = found[strange], counts[strange]
    frequent = np.argsort(-counts, kind="stable")[:_SHOWN_COLOURS]
    shown = ", ".join(_describe(int(found[i]), int(counts[i]), pixels) for i in frequent)
    more = f" and {len(found) - len(frequent)} more" if len(found) > len(frequent) else ""
    message = (
        f"{len(found)} colours in {int(counts.sum())} pixels are not in the palette: {shown}{more}; "
        "add them to the palette, or save the label map without compression losses and without smoothing"
    )
    raise I2IError("E_PALETTE", message)


def _describe(code: int, count: int, pixels: Pixels) -> str:
    colour = (code // 65536, code // 256 % 256, code % 256)
    nearest = min(pixels.palette, key=lambda known: sum((a - b) ** 2 for a, b in zip(colour, known, strict=True)))
    return f"{colour} x {count} (nearest: {nearest})"


def _palette(pixels: Pixels, device: torch.device) -> Tensor:
    return torch.tensor(pixels.palette, dtype=torch.float32, device=device)  # (K, 3)


def _one_hot(planes: Tensor, palette: Tensor) -> Tensor:
    # |c - p|^2 = |c|^2 - 2 c.p + |p|^2, and |c|^2 is the same for every class. Integers below 2^24: exact in float32.
    products = torch.einsum("nchw,kc->nkhw", planes, palette)
    distance = palette.square().sum(dim=1).reshape(1, -1, 1, 1) - 2.0 * products
    nearest = distance.argmin(dim=1, keepdim=True)  # (N, 1, H, W)
    classes = torch.arange(palette.shape[0], device=planes.device).reshape(1, -1, 1, 1)
    return (nearest == classes).to(torch.float32)
