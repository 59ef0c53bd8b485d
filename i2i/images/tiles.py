"""How a picture is cut into overlapping tiles and put together again: positions and weights along one side.

All positions are multiples of what the network halves its planes to, so that every tile has the grid that the whole
picture would have. The outer quarter of an overlap has no weight, since a tile sees zeros or reflections beyond its
edge there; over the middle half the weights go smoothly from one tile to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]


def starts(length: int, *, side: int, overlap: int, multiple: int) -> list[int]:
    """Where the tiles of `side` begin that cover 0 .. `length`, evenly, each `overlap` or more into the next.

    All four are multiples of `multiple`, and `overlap` is below `side`. A `length` up to `side` is one tile.
    """
    if length <= side:
        return [0]
    gaps = -(-(length - side) // (side - overlap))
    last = (length - side) // multiple
    return [number * last // gaps * multiple for number in range(gaps + 1)]


def weights(begins: Sequence[int], *, side: int, overlap: int, hard: bool = False) -> list[Weights]:
    """The weight of each tile at each of its own positions, [side]; at every place those of all tiles sum to 1.

    `hard`: nothing is blended, each place belongs to one tile; for labels, which have no mean.
    """
    half = 0.0 if hard else overlap / 4
    found = []
    for number, begin in enumerate(begins):
        places = begin + 0.5 + np.arange(side, dtype=np.float64)
        # What lies behind the border to the tile before, less what lies behind that to the next one.
        entered = _behind(places, begins, number, side, half) - _behind(places, begins, number + 1, side, half)
        found.append(entered.astype(np.float32))
    return found


def _behind(
    places: npt.NDArray[np.float64], begins: Sequence[int], border: int, side: int, half: float
) -> npt.NDArray[np.float64]:
    """0 before a tile's border with the one before it, 1 behind it, smooth (a cubic) within `half` of its middle."""
    if border in (0, len(begins)):
        return np.full(len(places), float(border == 0))
    middle = (begins[border] + begins[border - 1] + side) / 2
    if half == 0:
        return np.asarray(places > middle, np.float64)
    share = np.clip((places - middle) / (2 * half) + 0.5, 0.0, 1.0)
    return np.asarray(share * share * (3 - 2 * share), np.float64)


def reflected(size: int, *, before: int, length: int) -> npt.NDArray[np.intp]:
    """The indices [length] into `size` values that continue them by reflection; the first lies at place `before`.

    The same as a model's own padding (rule `pad` of the card's sizing): 0 1 2 gives 2 1 0 1 2 1 0 ...
    """
    period = max(2 * (size - 1), 1)
    place = (np.arange(length) - before) % period
    return np.minimum(place, period - place).astype(np.intp)
