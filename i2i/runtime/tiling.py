"""A picture of any size in bounded memory: translated in overlapping tiles, which are blended into each other.

The tiles are cut from the picture as the model itself would pad it, at multiples of its grid: where an overlap is as
wide as what the network sees, the result is the one of the whole picture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from i2i.images.card import ImageCard, Sizing
from i2i.images.tiles import reflected, starts, weights

Array = npt.NDArray[np.uint8]
# Translates tiles [H, W, C], all of one size, in their order.
Run = Callable[[Iterable[Array]], Iterator[Array]]

OVERLAP = 128  # at least, and two of the network's multiples: satellite2relief is then 48 dB from the untiled picture
_SAMPLE_SIDE = 128
_SAMPLE_PIXELS = 2**20
_SAMPLE_TURNS = 4


@dataclass(frozen=True)
class Tiling:
    """Tiles of `side` x `side` pixels, `overlap` or more of them shared with the next; multiples of the card's."""

    side: int
    overlap: int

    @classmethod
    def of(cls, sizing: Sizing, side: int) -> Tiling:
        """Tiles of about `side` pixels, rounded up to what the network takes; at least twice its multiple."""
        step = sizing.multiple
        side = _up(max(side, sizing.minimum, 2 * step), step)
        overlap = max(step, min(_up(max(OVERLAP, 2 * step), step), side // 2 // step * step))
        return cls(side, overlap)


@dataclass(frozen=True)
class Canvas:
    """A picture of `height` x `width`, padded all around as the model pads it: by `top` rows and `left` columns before.

    `tall` x `wide` is the size with the padding.
    """

    height: int
    width: int
    tall: int
    wide: int

    @classmethod
    def of(cls, sizing: Sizing, height: int, width: int) -> Canvas:
        """The canvas that the card's sizing (rule `pad`) makes of a picture."""
        tall, wide = (_up(max(length, sizing.minimum), sizing.multiple) for length in (height, width))
        return cls(height, width, tall, wide)

    @property
    def top(self) -> int:
        """Rows before the picture."""
        return (self.tall - self.height) // 2

    @property
    def left(self) -> int:
        """Columns before the picture."""
        return (self.wide - self.width) // 2

    def cut(self, pixels: Array, top: int, left: int, tall: int, wide: int) -> Array:
        """The part of the canvas that begins at `top`, `left`, as pixels [tall, wide, C]."""
        rows = reflected(self.height, before=self.top - top, length=tall)
        columns = reflected(self.width, before=self.left - left, length=wide)
        return pixels[rows[:, None], columns]


def translate(pixels: Array, *, card: ImageCard, tiling: Tiling, run: Run) -> Array:
    """Translate pixels [H, W, C] tile by tile to [H*scale, W*scale, C'].

    Beside the two pictures one row of tiles is in memory, as float32. Labels are not blended.
    """
    canvas = Canvas.of(card.sizing, *pixels.shape[:2])
    scale, hard = card.scale, card.target.colour == "labels"
    tall, wide = min(tiling.side, canvas.tall), min(tiling.side, canvas.wide)
    tops, down = _along(canvas.tall, tall, tiling, card, hard=hard)
    lefts, across = _along(canvas.wide, wide, tiling, card, hard=hard)
    result = np.empty((canvas.height * scale, canvas.width * scale, card.target.channels), np.uint8)
    strip = np.zeros((tall * scale, canvas.wide * scale, card.target.channels), np.float32)
    for row, (top, vertical) in enumerate(zip(tops, down, strict=True)):
        tiles = run(canvas.cut(pixels, top, left, tall, wide) for left in lefts)
        for left, horizontal, tile in zip(lefts, across, tiles, strict=True):
            place = slice(left * scale, (left + wide) * scale)
            strip[:, place] += (vertical[:, None] * horizontal)[:, :, None] * tile
        done = (tops[row + 1] if row + 1 < len(tops) else canvas.tall) - top
        _finish(strip[: done * scale], result, from_row=(top - canvas.top) * scale, from_column=canvas.left * scale)
        rest = strip[done * scale :].copy()
        strip[: len(rest)], strip[len(rest) :] = rest, 0
    return result


def samples(pixels: Array, *, card: ImageCard, tiling: Tiling) -> Iterator[Array]:
    """Parts of a large picture that speak for the whole of it, in batches [N, H, W, C] of up to a megapixel, each
    spread evenly over the picture: 1 batch, 4 above 2 megapixels, 16 above 18.
    """
    step = card.sizing.multiple
    canvas = Canvas.of(card.sizing, *pixels.shape[:2])
    side, tall, wide = _part(canvas, card.sizing, tiling)
    turns = min(_SAMPLE_TURNS, math.ceil(math.sqrt(canvas.tall * canvas.wide / (2 * _SAMPLE_PIXELS))))
    most = max(1, math.isqrt(_SAMPLE_PIXELS) // side)
    tops, lefts = _spread(canvas.tall, tall, step, most * turns), _spread(canvas.wide, wide, step, most * turns)
    for row, column in itertools.product(range(min(turns, len(tops))), range(min(turns, len(lefts)))):
        places = itertools.product(tops[row::turns], lefts[column::turns])
        yield np.stack([canvas.cut(pixels, top, left, tall, wide) for top, left in places])


def corner(pixels: Array, *, card: ImageCard, tiling: Tiling) -> Array:
    """The part of a large picture where it begins, [1, H, W, C], of the size of the `samples`."""
    canvas = Canvas.of(card.sizing, *pixels.shape[:2])
    _, tall, wide = _part(canvas, card.sizing, tiling)
    return canvas.cut(pixels, 0, 0, tall, wide)[None]


def _part(canvas: Canvas, sizing: Sizing, tiling: Tiling) -> tuple[int, int, int]:
    """The side of the samples, and what the canvas has of it: height and width."""
    side = min(_up(max(_SAMPLE_SIDE, sizing.minimum), sizing.multiple), tiling.side)
    return side, min(side, canvas.tall), min(side, canvas.wide)


def _spread(length: int, side: int, step: int, most: int) -> list[int]:
    """Where parts of `side` begin, each in the middle of an equal share of the length, on the grid, at most `most`."""
    count = max(1, min(most, length // side))
    middles = ((2 * number + 1) * length / (2 * count) for number in range(count))
    return [min(max(round((middle - side / 2) / step) * step, 0), length - side) for middle in middles]


def _along(
    length: int, side: int, tiling: Tiling, card: ImageCard, *, hard: bool
) -> tuple[list[int], list[npt.NDArray[np.float32]]]:
    """Where tiles begin along a side of the canvas, and the weights of each in the output's pixels."""
    begins = starts(length, side=side, overlap=tiling.overlap, multiple=card.sizing.multiple)
    scale = card.scale
    enlarged = [begin * scale for begin in begins]
    return begins, weights(enlarged, side=side * scale, overlap=tiling.overlap * scale, hard=hard)


def _finish(strip: npt.NDArray[np.float32], result: Array, *, from_row: int, from_column: int) -> None:
    """Write finished rows of the canvas to the picture: rounded, the padding cut off."""
    first, last = max(from_row, 0), min(from_row + len(strip), len(result))
    columns = slice(from_column, from_column + result.shape[1])
    if first < last:
        result[first:last] = np.rint(strip[first - from_row : last - from_row, columns])


def _up(length: int, step: int) -> int:
    return -(-length // step) * step
