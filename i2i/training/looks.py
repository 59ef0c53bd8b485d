"""What a look at outputs beside real pictures says in numbers: how different, how lively, how fast they change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Numbers = dict[str, float]
Small = NDArray[np.float32]  # (N, h, w, C), levels of 255

SIDE = 32  # of a thumbnail, at most: what differs in noise alone does not count as different


def compared(outputs: Sequence[Picture], real: Sequence[Picture], *, before: Small | None = None) -> Numbers:
    """Numbers about outputs (H, W, C) for different inputs beside real pictures; none that the real ones forbid.

    `apart`: mean distance between two real pictures, in levels of 255. `diversity`: that between two outputs, in
    `apart`. `contrast`: standard deviation inside an output, in that inside a real picture. `middle`: the share of
    values that are at no end of the range, in that of real pictures; not for pictures that are nearly all black and
    white. `level`, `real_level`: mean values. `moved`: mean change since the outputs `before`, in levels.
    """
    small, small_real = thumbnails(outputs, real), thumbnails(real, outputs)
    apart, contrast, middle = distance(small_real), _contrast(real), _middle(real)
    numbers = {"level": float(small.mean()), "real_level": float(small_real.mean())}
    if apart > 0:
        numbers |= {"apart": apart, "diversity": distance(small) / apart}
    if contrast > 0:
        numbers["contrast"] = _contrast(outputs) / contrast
    if middle > 0.1:
        numbers["middle"] = _middle(outputs) / middle
    if before is not None:
        numbers["moved"] = float(np.abs(small - before).mean())
    return numbers


def thumbnails(pictures: Sequence[Picture], beside: Sequence[Picture]) -> Small:
    """Means over equal blocks, as small as the smallest of both kinds of pictures, 32 px a side at most."""
    sides = [SIDE, *(side for picture in (*pictures, *beside) for side in picture.shape[:2])]
    return np.stack([_reduced(picture, min(sides)) for picture in pictures])


def distance(small: Small) -> float:
    """The mean distance between two different ones, in levels; 0 for a single one."""
    count = len(small)
    total = sum(float(np.abs(small - one).mean()) for one in small)
    return total / (count - 1) if count > 1 else 0.0


def _reduced(picture: Picture, side: int) -> Small:
    values: Small = picture.astype(np.float32)
    for axis in (0, 1):
        starts = np.linspace(0, values.shape[axis], side + 1).astype(int)
        sizes = np.diff(starts).astype(np.float32)
        sums = np.add.reduceat(values, starts[:-1], axis=axis)
        values = np.asarray(sums / np.expand_dims(sizes, tuple({0, 1, 2} - {axis})), np.float32)
    return values


def _contrast(pictures: Sequence[Picture]) -> float:
    """The median over pictures of the standard deviation inside one, colour by colour."""
    return float(np.median([picture.std((0, 1)).mean() for picture in pictures]))


def _middle(pictures: Sequence[Picture]) -> float:
    """The share of values more than two levels from both ends."""
    return float(np.mean([((picture > 2) & (picture < 253)).mean() for picture in pictures]))
