"""Pairs of pictures matched by name, and the data set that makes training samples of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from i2i.data.augment import Augmentation, Augmenter
from i2i.data.folder import SampleFolder
from i2i.data.layouts import Layout, find_layout, splits
from i2i.data.problems import Problem, raise_problems
from i2i.data.reading import Pair, picture_area
from i2i.errors import I2IError, printable
from i2i.images.card import Pixels
from i2i.images.codec import list_images
from i2i.weights.pixels import encode

__all__ = ["Matching", "Pair", "PairedBatch", "PairedFolder", "find_pairs", "match_pairs", "splits"]


class Matching(NamedTuple):
    """The pairs of one split, sorted by name, and what is wrong with the others."""

    pairs: list[Pair]
    problems: list[Problem]


def find_pairs(root: Path, *, split: str, source: str | None = None, target: str | None = None) -> list[Pair]:
    """The pairs of one split, sorted by name; `source` and `target` as in `find_layout`.

    Raises `I2IError`: E_LAYOUT, E_NO_IMAGES, or E_PAIR_DUPLICATE and E_PAIR_MISSING listing every file concerned.
    """
    pairs, problems = match_pairs(root, split=split, source=source, target=target)
    raise_problems(problems)
    return pairs


def match_pairs(root: Path, *, split: str, source: str | None = None, target: str | None = None) -> Matching:
    """As `find_pairs`, but files without a partner are returned and not raised.

    Two files are partners when their paths below their folders are equal without the suffix (Unicode in composed
    form, since one file system stores accents composed and the next decomposed). Positions never count.
    """
    layout = find_layout(root, split=split, source=source, target=target)
    problems: list[Problem] = []
    sources = _by_name(layout.source, problems)
    if layout.side_by_side:
        pairs = [Pair(name, path, path, True, layout.source_left) for name, path in sources.items()]
        return Matching(pairs, problems)
    targets = _by_name(layout.target, problems)
    problems += _alone(layout, sources, targets)
    return Matching([Pair(name, sources[name], targets[name]) for name in sources if name in targets], problems)


def _by_name(folder: Path, problems: list[Problem]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for relative in list_images(folder):
        name = unicodedata.normalize("NFC", relative.with_suffix("").as_posix())
        if name in found:
            message = f"has the name of {found[name].name} beside it; pairs are matched by name: keep one of the two"
            problems.append(Problem("E_PAIR_DUPLICATE", folder / relative, message))
        else:
            found[name] = folder / relative
    if not found:
        raise I2IError("E_NO_IMAGES", "holds no pictures (links to files elsewhere do not count)", path=folder)
    return dict(sorted(found.items()))


def _alone(layout: Layout, sources: dict[str, Path], targets: dict[str, Path]) -> list[Problem]:
    return [
        Problem("E_PAIR_MISSING", path, f"no picture of this name in {printable(other)}")
        for mine, others, other in ((sources, targets, layout.target), (targets, sources, layout.source))
        for name, path in mine.items()
        if name not in others
    ]


class PairedBatch(NamedTuple):
    """`source` (N, source planes, H, W) and `target` (N, target planes, H, W), float32 in the card's value range."""

    source: Tensor
    target: Tensor


class PairedFolder(SampleFolder[Pair, tuple[np.ndarray, np.ndarray]]):
    """Training samples of a list of pairs, source and target cut and flipped alike. Raises `I2IError` as its base class
    and (E_RECIPE) as `Augmenter`.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        *,
        source_pixels: Pixels,
        target_pixels: Pixels,
        value_range: tuple[float, float],
        augmentation: Augmentation,
        seed: int,
        cache_bytes: int = 2 << 30,
    ) -> None:
        super().__init__(pairs, augmentation=augmentation, seed=seed, cache_bytes=cache_bytes)
        self.source_pixels = source_pixels
        self.target_pixels = target_pixels
        self.value_range = value_range
        self._augment = Augmenter(augmentation, source_pixels=source_pixels, target_pixels=target_pixels)

    def area(self, item: Pair) -> int:
        """Pixels of one side."""
        return picture_area(item)

    def whole(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Pair `number` as it is on the disk: source and target, uint8 (H, W, C), no augmentation."""
        return self.items[number].read(source_pixels=self.source_pixels, target_pixels=self.target_pixels)

    def prepare(self, pictures: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The resize, of both sides."""
        return self._augment.prepare(*pictures)

    def augment(
        self, pictures: tuple[np.ndarray, np.ndarray], generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """One crop and flip for both sides, and the source's colours."""
        return self._augment(*pictures, generator)

    def scale(self, source: Tensor, target: Tensor) -> PairedBatch:
        """The batch of two uint8 tensors (N, H, W, C)."""
        return PairedBatch(
            encode(source, self.source_pixels, self.value_range), encode(target, self.target_pixels, self.value_range)
        )
