"""The inputs that a model is calibrated with: one picture or latent each, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.images.codec import read
from i2i.images.listing import list_images
from i2i.runtime.conditions import drawn

Feed = dict[str, NDArray[Any]]

MOST = 128  # pictures; more change a range no more
LEAST = 32  # windows, where there are fewer pictures
WINDOW = 256  # pixels a side at most, of pictures that the model takes at any size
_SEED = 20_240_229


@dataclass(frozen=True)
class Feeds(Sequence[Feed]):
    """`size` inputs of a model: `source` makes the picture uint8 (1, H, W, C) or the latent of a number.

    Domains and exclusive attributes come in turn, other attributes are drawn from their ranges.
    """

    card: ImageCard
    size: int
    source: Callable[[int], NDArray[Any]]

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> Feed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Feed]: ...

    def __getitem__(self, index: int | slice) -> Feed | Sequence[Feed]:
        if isinstance(index, slice):
            return _Some(self, range(self.size)[index])
        index = range(self.size)[index]  # raises IndexError behind the last, which ends a loop
        told = drawn(self.card, self.size, seed=_SEED).rows([index])
        name = "image" if self.card.latent is None else "latent"
        return {name: self.source(index)} | {key: value for key, value in told._asdict().items() if value is not None}


@dataclass(frozen=True)
class _Some(Sequence[Feed]):
    """Some of the inputs, in this order."""

    whole: Feeds
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Feed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Feed]: ...

    def __getitem__(self, index: int | slice) -> Feed | Sequence[Feed]:
        if isinstance(index, slice):
            return _Some(self.whole, self.numbers[index])
        return self.whole[self.numbers[index]]


def of_pictures(card: ImageCard, pictures: Sequence[NDArray[np.uint8]]) -> Feeds:
    """Inputs of pictures (H, W, C) as they are."""
    return Feeds(card, len(pictures), lambda number: pictures[number][None])


def of_folder(card: ImageCard, folder: Path) -> Feeds:
    """Inputs of the pictures in a folder and below: `MOST` at most, evenly chosen.

    Where the model takes any size a picture gives a window of `WINDOW` pixels, and several, at random places, where
    there are few pictures. Raises `I2IError` (E_NO_IMAGES) for a folder without any.
    """
    paths = list_images(folder)
    if not paths:
        raise I2IError("E_NO_IMAGES", "holds no pictures to calibrate with", path=folder)
    chosen = np.unique(np.linspace(0, len(paths) - 1, MOST).round().astype(int)).tolist()
    windows = card.sizing.rule == "pad"
    count = max(len(chosen), LEAST) if windows else len(chosen)

    def picture(number: int) -> NDArray[np.uint8]:
        pixels = read(folder / paths[chosen[number % len(chosen)]], colour=card.source.colour).pixels
        return (window(pixels, number) if windows else pixels)[None]

    return Feeds(card, count, picture)


def of_noise(card: ImageCard) -> Feeds:
    """Latents of a generator from noise."""

    def latent(number: int) -> NDArray[np.float32]:
        return np.random.default_rng([_SEED, number]).standard_normal((1, card.latent or 0), dtype=np.float32)

    return Feeds(card, MOST, latent)


def window(pixels: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """A part of a picture (H, W, C) of at most `WINDOW` pixels a side; where it lies follows from the number."""
    random = np.random.default_rng([_SEED, number])
    top, left = (int(random.integers(0, max(side - WINDOW, 0) + 1)) for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + WINDOW, left : left + WINDOW])
