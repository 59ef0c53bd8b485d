"""Reading pictures from the disk; of a pair both sides upright, in their own colours, and of one size."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from i2i.errors import I2IError, printable
from i2i.images.card import Pixels
from i2i.images.codec import read


class Pair(NamedTuple):
    """Two pictures of one name, or one file that holds both `side_by_side` (then `source` and `target` are equal).

    A class of its own with another `join` may compute a side of what is in the files; whatever reads or looks through
    pairs calls it. It keeps the size, by which large pictures come more often in training.
    """

    name: str
    source: Path
    target: Path
    side_by_side: bool = False
    source_left: bool = True

    def read(self, *, source_pixels: Pixels, target_pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
        """Both sides as uint8 (H, W, C of each side's pixels).

        Raises `I2IError`: the codec's codes for files that cannot be read, and E_PAIR_SIZE as `join`.
        """
        source = read(self.source, colour=source_pixels.colour).pixels
        if self.side_by_side and source_pixels.colour == target_pixels.colour:
            return self.join(source, source)
        return self.join(source, read(self.target, colour=target_pixels.colour).pixels)

    def join(self, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both sides out of the two files as read (the same file twice when `side_by_side`), uint8 (H, W, C).

        Raises `I2IError` (E_PAIR_SIZE) when the sides differ in size or a picture with both sides has an odd width.
        """
        if self.side_by_side:
            return _halves(self, source, target)
        if source.shape[:2] != target.shape[:2]:
            message = (
                f"is {_size(source)} but its partner {printable(self.target)} is {_size(target)}; "
                "bring both to one size, so that they match pixel by pixel"
            )
            raise I2IError("E_PAIR_SIZE", message, path=self.source)
        return source, target


def _halves(pair: Pair, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    width = source.shape[1]
    if width % 2:
        message = (
            f"is {_size(source)}: a picture with both sides in it has an even width; "
            "crop it, or put the sides into two folders"
        )
        raise I2IError("E_PAIR_SIZE", message, path=pair.source)
    halves = slice(0, width // 2), slice(width // 2, width)
    first, second = halves if pair.source_left else halves[::-1]
    return np.ascontiguousarray(source[:, first]), np.ascontiguousarray(target[:, second])


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]} pixels"


def picture_area(pair: Pair) -> int:
    """Pixels of one side. Raises as `file_area`."""
    area = file_area(pair.source)
    return area // 2 if pair.side_by_side else area


def file_area(path: Path) -> int:
    """Pixels of a picture, from the file's header alone. Raises the codec's `I2IError` for an unreadable file."""
    area = _area_in_header(path)
    if area is None:
        height, width = read(path).pixels.shape[:2]
        area = height * width
    return area


def _area_in_header(path: Path) -> int | None:
    if not path.is_file():  # opening a named pipe would wait for ever
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            return image.width * image.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
