"""What a translation can reach without looking at more than one pixel: three colour maps fitted by least squares.

A network that does not beat them has learnt colours and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from i2i.errors import I2IError

Picture = NDArray[np.uint8]  # H,W,C
Features = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # pixels P,C in 0..1 -> features P,K

CHUNK = 1 << 18


class ColourMap:
    """Each target pixel as a fixed linear combination of features of the source pixel at its place.

    Call it with a uint8 H,W,C picture; it gives a uint8 H,W,C' one, rounded and clipped to 0..255.
    """

    def __init__(self, *, features: Features, weights: NDArray[np.float64]) -> None:
        self._features = features
        self.weights = weights  # K,C' for values in 0..1

    def __call__(self, source: Picture) -> Picture:
        """Map every pixel."""
        flat = source.reshape(-1, source.shape[2])
        parts = [self._features(flat[i : i + CHUNK] / 255.0) @ self.weights for i in range(0, len(flat), CHUNK)]
        levels = np.rint(np.clip(np.concatenate(parts) * 255.0, 0, 255))
        return levels.astype(np.uint8).reshape(*source.shape[:2], -1)


def constant(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """P,C -> P,1: nothing of the pixel is used, so the fit is the mean colour of the targets."""
    return np.ones((len(pixels), 1))


def linear(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """P,C -> P,1+C: 1 and the channels."""
    return np.concatenate([constant(pixels), pixels], axis=1)


def quadratic(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """P,C -> P,1+C+C(C+1)/2: 1, the channels and all their products of two."""
    first, second = np.triu_indices(pixels.shape[1])
    return np.concatenate([linear(pixels), pixels[:, first] * pixels[:, second]], axis=1)


BASELINES: dict[str, Features] = {"mean colour": constant, "linear map": linear, "quadratic map": quadratic}


def fit(pairs: Iterable[tuple[Picture, Picture]]) -> dict[str, ColourMap]:
    """The three baselines, fitted on every pixel of the (source, target) pairs, each read once.

    The pairs are uint8 H,W,C of one size. Pixels weigh alike, so large pictures count more. Raises `I2IError`
    (E_NO_IMAGES) for no pairs.
    """
    sums: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for source, target in pairs:
        x, y = source.reshape(-1, source.shape[2]), target.reshape(-1, target.shape[2])
        for i in range(0, len(x), CHUNK):
            _accumulate(sums, x[i : i + CHUNK] / 255.0, y[i : i + CHUNK] / 255.0)
    if not sums:
        raise I2IError("E_NO_IMAGES", "baselines need at least one training pair")
    # lstsq and not solve: a grey picture saved as colour has dependent channels
    return {
        name: ColourMap(features=features, weights=np.linalg.lstsq(*sums[name], rcond=None)[0].astype(np.float64))
        for name, features in BASELINES.items()
    }


def _accumulate(
    sums: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]], x: NDArray[np.float64], y: NDArray[np.float64]
) -> None:
    """Add one chunk of pixels to the normal equations of every baseline."""
    for name, features in BASELINES.items():
        columns = features(x)
        gram, moment = columns.T @ columns, columns.T @ y
        if name in sums:
            gram, moment = sums[name][0] + gram, sums[name][1] + moment
        sums[name] = gram, moment
