"""The inputs that a model is calibrated with, and those that are held out for the proof: one picture or latent each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
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
Pixels = NDArray[np.uint8]  # (H, W, C)
Pictures = tuple[int, Callable[[int], Pixels]]  # so many, and each by its number

MOST = 128  # pictures; more change a range no more
LEAST = 32  # windows, where there are fewer pictures
WINDOW = 256  # pixels a side at most, of pictures that the model takes at any size
HELD_OUT = 4  # of so many pictures one is held out
NARROWEST = 128  # pixels of a picture's longer side that are held out, where there are too few pictures
_COUNTED_SEED, _HELD_OUT_SEED, _PLACE_SEED = 20_240_229, 20_240_301, 20_240_302


@dataclass(frozen=True)
class Feeds:
    """The inputs that are `counted`, and those `held_out` for the proof; none of either is empty."""

    counted: Sequence[Feed]
    held_out: Sequence[Feed]


@dataclass(frozen=True)
class _Side(Sequence[Feed]):
    """`size` inputs: `source` makes the picture uint8 (1, H, W, C) or the latent of a number.

    Domains and exclusive attributes come in turn, other attributes are drawn from their ranges.
    """

    card: ImageCard
    size: int
    source: Callable[[int], NDArray[Any]]
    seed: int

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> Feed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Feed]: ...

    def __getitem__(self, index: int | slice) -> Feed | Sequence[Feed]:
        if isinstance(index, slice):
            return [self[number] for number in range(self.size)[index]]
        index = range(self.size)[index]  # raises IndexError behind the last, which ends a loop
        told = drawn(self.card, self.size, seed=self.seed).rows([index])
        name = "image" if self.card.latent is None else "latent"
        return {name: self.source(index)} | {key: value for key, value in told._asdict().items() if value is not None}


def of_pictures(card: ImageCard, pictures: Sequence[Pixels]) -> Feeds:
    """Inputs of pictures (H, W, C) as they are; every fourth is held out.

    Where there are more domains, or members of an exclusive group, than pictures on a side, the pictures of that side
    come again with others. Raises `I2IError` (E_QUANTISATION) for fewer than four.
    """
    counted, held_out = ([pictures[number] for number in numbers] for numbers in _split(len(pictures)))
    return _feeds(card, (len(counted), counted.__getitem__), (len(held_out), held_out.__getitem__))


def of_folder(card: ImageCard, folder: Path) -> Feeds:
    """Inputs of the pictures in a folder and below: `MOST` at most, evenly chosen; every fourth is held out.

    Where the model takes any size a picture gives a window of `WINDOW` pixels, and, where there are few pictures,
    several that do not overlap. Of fewer than four pictures the first three quarters of the longer side give the
    windows that are counted, and the rest those that are held out: other pixels, though of the same pictures.

    Raises `I2IError`: E_NO_IMAGES for a folder without any; E_QUANTISATION for fewer than four pictures that cannot be
    divided so; E_SIZE for a picture that a model of one size does not take.
    """
    paths = list_images(folder)
    if not paths:
        raise I2IError("E_NO_IMAGES", "holds no pictures to calibrate with", path=folder)
    chosen = np.unique(np.linspace(0, len(paths) - 1, MOST).round().astype(int)).tolist()
    files = [folder / paths[number] for number in chosen]
    if card.sizing.rule == "pad":
        return _of_windows(card, files)
    counted, held_out = _split(len(files))
    for file in files if card.sizing.rule == "fixed" else []:
        _check_size(card, file)
    return _feeds(card, _of_files(card, files, counted), _of_files(card, files, held_out))


def of_noise(card: ImageCard) -> Feeds:
    """Latents of a generator from noise."""

    def latents(seed: int, count: int) -> _Side:
        def latent(number: int) -> NDArray[np.float32]:
            return np.random.default_rng([seed, number]).standard_normal((1, card.latent or 0), dtype=np.float32)

        return _Side(card, max(count, _turns(card)), latent, seed)

    few = MOST // HELD_OUT
    return Feeds(latents(_COUNTED_SEED, MOST - few), latents(_HELD_OUT_SEED, few))


def windows(pixels: Pixels, count: int, *, seed: int) -> list[Pixels]:
    """At most `count` parts of a picture that do not overlap, of at most `WINDOW` pixels a side, in random order."""
    random = np.random.default_rng([_PLACE_SEED, seed])
    rows, columns = (_starts(side, random) for side in pixels.shape[:2])
    places = [(top, left) for top in rows for left in columns]
    order = random.permutation(len(places))[:count]
    return [
        pixels[top : top + WINDOW, left : left + WINDOW].copy() for top, left in (places[number] for number in order)
    ]


def _of_windows(card: ImageCard, files: Sequence[Path]) -> Feeds:
    """Inputs of windows, which are held in memory: each picture is read once."""
    held_out_files = set(_split(len(files))[1]) if len(files) >= HELD_OUT else set()
    wanted = (LEAST - LEAST // HELD_OUT, LEAST // HELD_OUT)
    of_files: tuple[list[list[Pixels]], list[list[Pixels]]] = ([], [])  # counted, held out
    for number, file in enumerate(files):
        pixels = _read(card, file)
        if len(files) < HELD_OUT:
            parts = dict(enumerate(_divided(pixels, len(files), file)))
        else:
            parts = {int(number in held_out_files): pixels}
        for side, part in parts.items():
            count = wanted[side] if len(files) < LEAST else 1
            of_files[side].append(windows(part, count, seed=2 * number + side))
    counted, held_out = (_dealt(found, max(count, len(found))) for found, count in zip(of_files, wanted, strict=True))
    return _feeds(card, (len(counted), counted.__getitem__), (len(held_out), held_out.__getitem__))


def _divided(pixels: Pixels, count: int, file: Path) -> tuple[Pixels, Pixels]:
    """The first three quarters of the longer side, and the rest."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if longer < HELD_OUT * NARROWEST:
        message = f"{_few(count)}, or pictures of {HELD_OUT * NARROWEST} pixels or more; this one is {width}x{height}"
        raise I2IError("E_QUANTISATION", message, path=file)
    first = longer - longer // HELD_OUT
    return (pixels[:first], pixels[first:]) if height > width else (pixels[:, :first], pixels[:, first:])


def _split(count: int) -> tuple[list[int], list[int]]:
    """Which of so many pictures are counted, and which are held out."""
    if count < HELD_OUT:
        raise I2IError("E_QUANTISATION", _few(count))
    numbers = range(count)
    return [number for number in numbers if number % HELD_OUT != HELD_OUT - 1], list(numbers[HELD_OUT - 1 :: HELD_OUT])


def _few(count: int) -> str:
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    return f"{pictures} to calibrate; one of {HELD_OUT} is held out for the proof, so give at least {HELD_OUT}"


def _feeds(card: ImageCard, counted: Pictures, held_out: Pictures) -> Feeds:
    """Both sides of their pictures, with every domain and every member of a group on each."""

    def side(pictures: Pictures, seed: int) -> _Side:
        count, picture = pictures
        return _Side(card, max(count, _turns(card)), lambda number: picture(number % count)[None], seed)

    return Feeds(side(counted, _COUNTED_SEED), side(held_out, _HELD_OUT_SEED))


def _of_files(card: ImageCard, files: Sequence[Path], numbers: Sequence[int]) -> Pictures:
    return len(numbers), lambda index: _read(card, files[numbers[index]])


def _turns(card: ImageCard) -> int:
    """After how many inputs each domain, or each member of every exclusive group, has occurred."""
    condition = card.condition
    if condition is None:
        return 1
    groups = [condition.names] if condition.kind == "domains" else condition.exclusive_groups
    return max(map(len, groups), default=1)


def _starts(side: int, random: np.random.Generator) -> range:
    """Where windows begin that lie side by side; what is left of the side lies at random before and behind them."""
    if side <= WINDOW:
        return range(1)
    first = int(random.integers(0, side % WINDOW + 1))
    return range(first, side - WINDOW + 1, WINDOW)


def _dealt(hands: Sequence[Sequence[Pixels]], count: int) -> list[Pixels]:
    """At most `count` windows: the first of each picture, then the second of each, and so on."""
    turns = (part for turn in zip_longest(*hands) for part in turn if part is not None)
    return list(islice(turns, count))


def _read(card: ImageCard, file: Path) -> Pixels:
    return read(file, colour=card.source.colour).pixels


def _check_size(card: ImageCard, file: Path) -> None:
    height, width = _read(card, file).shape[:2]
    sizing = card.sizing
    if (width, height) != (sizing.width, sizing.height):
        message = (
            f"the picture is {width}x{height}; this model takes only {sizing.width}x{sizing.height}, so resize it first"
        )
        raise I2IError("E_SIZE", message, path=file)
