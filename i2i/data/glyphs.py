"""Glyphs of one character in two fonts: what a translator of fonts learns from.

The augmentation is zi2zi's (Tian 2017, github.com/kaonashi-tyc/zi2zi, `model/utils.py`): both glyphs of a pair are
enlarged alike and cut back to their size at one random place. Beyond it, and off by default: both lean alike, and the
source's strokes are thinner or bolder (the target's weight belongs to its style).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from i2i.data.augment import Augmentation
from i2i.data.charsets import code_point
from i2i.data.folder import SampleFolder
from i2i.data.sampler import Draw
from i2i.data.typeface import PAPER, Typeface
from i2i.images.card import Pixels
from i2i.weights.pixels import encode

GRAY = Pixels(colour="gray")
Pictures = tuple[np.ndarray, np.ndarray]


class StyledBatch(NamedTuple):
    """`source` and `target` (N, 1, H, W) in the card's range: the same characters in the source font and in the fonts
    whose numbers are `condition`, int64 (N,).
    """

    source: Tensor
    target: Tensor
    condition: Tensor


class Glyph(NamedTuple):
    """One character in one of the target fonts, which has a name and a number."""

    character: str
    font: str
    number: int

    @property
    def name(self) -> str:
        """Font and code point: `Ma Shan Zheng/U+6C38`."""
        return f"{self.font}/{code_point(self.character)}"


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """What is changed at random in training. `zoom`: enlarged by up to so many times. `shear`: leaning by up to so many
    degrees either way. `weight`: the source's strokes bolder or thinner on each side by up to this share of a pixel.
    """

    zoom: float = 1.2
    shear: float = 0.0
    weight: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.zoom <= 2:
            raise ValueError(f"zoom lies in 1..2, got {self.zoom}")
        if not 0 <= self.shear <= 45:
            raise ValueError(f"shear lies in 0..45 degrees, got {self.shear}")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight lies in 0..1, got {self.weight}")

    def __call__(self, source: np.ndarray, target: np.ndarray, generator: np.random.Generator) -> Pictures:
        """One draw for both glyphs, uint8 (H, W, 1), new arrays."""
        zoom, lean, weight, down, right = generator.random(5)
        matrix = _matrix(
            source.shape[0],
            zoom=1 + zoom * (self.zoom - 1),
            lean=math.tan(math.radians((2 * lean - 1) * self.shear)),
            place=(right, down),
        )
        return _warped(_weighted(source, (2 * weight - 1) * self.weight), matrix), _warped(target, matrix)


class GlyphFolder(SampleFolder[Glyph, Pictures]):
    """The glyphs of a list, each with that of the same character in the `source` font, drawn when they are needed.

    In an epoch every font comes as often as the one with the most glyphs.
    """

    def __init__(
        self,
        glyphs: Sequence[Glyph],
        *,
        source: Typeface,
        targets: Sequence[Typeface],
        jitter: Jitter,
        value_range: tuple[float, float],
        augmentation: Augmentation,
        seed: int,
        cache_bytes: int = 2 << 30,
    ) -> None:
        super().__init__(glyphs, augmentation=augmentation, seed=seed, cache_bytes=cache_bytes)
        self.source = source
        self.targets = tuple(targets)
        self.jitter = jitter
        self.value_range = value_range
        self._order = _balanced(self.items)

    def __len__(self) -> int:
        return len(self._order)

    def item_of(self, index: int) -> int:
        """The number of the glyph that a draw's index stands for."""
        return self._order[index]

    def area(self, item: Glyph) -> int:
        """Pixels of one picture."""
        return self.source.size**2

    def whole(self, number: int) -> Pictures:
        """Glyph `number` in the source font and in its own, uint8 (H, W, 1)."""
        glyph = self.items[number]
        drawn = (face.draw(glyph.character) for face in (self.source, self.targets[glyph.number]))
        source, target = (picture[:, :, None] for picture in drawn)
        return source, target

    def prepare(self, pictures: Pictures) -> Pictures:
        """Nothing: they are drawn in the size that is wanted."""
        return pictures

    def augment(self, pictures: Pictures, generator: np.random.Generator) -> Pictures:
        """One draw of the jitter."""
        return self.jitter(*pictures, generator)


class StyledFolder:
    """The samples of `glyphs`, each with the number of its font."""

    def __init__(self, glyphs: GlyphFolder) -> None:
        self.glyphs = glyphs
        self.cache = glyphs.cache

    def __len__(self) -> int:
        return len(self.glyphs)

    def __getitem__(self, draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One sample: source, target, uint8 (H, W, 1), and the font's number."""
        return *self.glyphs[draw], np.asarray(self.sample(draw).number, np.int64)

    def sample(self, draw: Draw) -> Glyph:
        """Which character and font a draw is of."""
        return self.glyphs.items[self.glyphs.item_of(draw.index)]

    def preload(self) -> None:
        """Fill the cache with what workers are to share."""
        self.glyphs.preload()

    def scale(self, source: Tensor, target: Tensor, condition: Tensor) -> StyledBatch:
        """The batch of two uint8 tensors (N, H, W, 1) and the numbers of the fonts."""
        low_high = self.glyphs.value_range
        return StyledBatch(encode(source, GRAY, low_high), encode(target, GRAY, low_high), condition)


def _balanced(glyphs: Sequence[Glyph]) -> list[int]:
    """Indices of the glyphs of an epoch, as many of each font, a font's own repeated evenly."""
    by_font: dict[int, list[int]] = {}
    for index, glyph in enumerate(glyphs):
        by_font.setdefault(glyph.number, []).append(index)
    most = max(map(len, by_font.values()))
    return [own[place * len(own) // most] for own in by_font.values() for place in range(most)]


def _matrix(side: int, *, zoom: float, lean: float, place: tuple[float, float]) -> np.ndarray:
    """From a place on the new picture to the one on the old: `place` says which part of the enlarged one is cut out, 0
    the left or the top, 1 the right or the bottom; it leans about the middle.
    """
    free = side * (1 - 1 / zoom)
    middle = (side - 1) / 2
    return np.array([[1 / zoom, lean / zoom, place[0] * free - lean * middle / zoom], [0, 1 / zoom, place[1] * free]])


def _warped(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    import cv2

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    height, width = picture.shape[:2]
    made = cv2.warpAffine(
        picture[:, :, 0], matrix, (width, height), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=PAPER
    )
    return np.ascontiguousarray(made[:, :, None])


def _weighted(picture: np.ndarray, amount: float) -> np.ndarray:
    """Strokes bolder (above 0) or thinner by `amount` pixels on each side: a mixture with the darkest neighbour."""
    if not amount:
        return picture
    import cv2

    spread = cv2.erode if amount > 0 else cv2.dilate
    other = spread(picture, np.ones((3, 3), np.uint8)).reshape(picture.shape)
    return np.asarray(np.round(picture + abs(amount) * (other.astype(np.float32) - picture)), np.uint8)
