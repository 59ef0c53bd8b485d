"""Reading one pair from the disk: both sides upright, in their own colours, and of one size."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.images.codec import read


class Pair(NamedTuple):
    """Two pictures of one name, or one file that holds both `side_by_side` (then `source` and `target` are equal)."""

    name: str
    source: Path
    target: Path
    side_by_side: bool = False
    source_left: bool = True


def read_pair(pair: Pair, *, source_pixels: Pixels, target_pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as uint8 (H, W, C of each side's pixels).

    Raises `I2IError`: E_PAIR_SIZE when the sides differ in size or a picture with two sides has an odd width, and
    the codec's codes for files that cannot be read.
    """
    if pair.side_by_side:
        return _halves(pair, source_pixels, target_pixels)
    source = read(pair.source, colour=source_pixels.colour).pixels
    target = read(pair.target, colour=target_pixels.colour).pixels
    if source.shape[:2] != target.shape[:2]:
        message = (
            f"is {_size(source)} but its partner {pair.target} is {_size(target)}; "
            "bring both to one size (the content has to match pixel by pixel)"
        )
        raise I2IError("E_PAIR_SIZE", message, path=pair.source)
    return source, target


def _halves(pair: Pair, source_pixels: Pixels, target_pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    first = read(pair.source, colour=source_pixels.colour).pixels
    same = source_pixels.colour == target_pixels.colour
    second = first if same else read(pair.source, colour=target_pixels.colour).pixels
    width = first.shape[1]
    if width % 2:
        message = (
            f"is {_size(first)}: a picture with both sides in it has an even width; "
            "crop it, or put the sides into two folders"
        )
        raise I2IError("E_PAIR_SIZE", message, path=pair.source)
    left, right = slice(0, width // 2), slice(width // 2, width)
    source, target = (left, right) if pair.source_left else (right, left)
    return np.ascontiguousarray(first[:, source]), np.ascontiguousarray(second[:, target])


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]} pixels"


def picture_size(pair: Pair) -> tuple[int, int]:
    """(height, width) of one side, from the file's header: before any rotation that its EXIF data ask for.

    Raises the codec's `I2IError` for a file that cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(pair.source) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError):
        height, width = read(pair.source).pixels.shape[:2]
    return height, width // 2 if pair.side_by_side else width
