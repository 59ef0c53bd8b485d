"""Random crops, flips and colour changes: the same geometry for both sides of a pair, drawn from one given generator.

Modes: `crop` cuts a window out of a large pair; `jitter` resizes to 286/256 of the size and cuts a window (Isola et
al. 2017, section 3.3: 256 -> 286 -> 256); `resize` brings the whole object to the size. Pictures are interpolated
(area average when shrinking, bilinear when enlarging and turning), label maps take the nearest pixel, and so does a
picture that is turned beside one.

The transforms are albumentations'. It never draws from a global generator here: each call gets its own.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from i2i.errors import I2IError
from i2i.images.card import Pixels

Mode = Literal["crop", "jitter", "resize"]
Flip = Literal["horizontal", "vertical", "rot90"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What may be done to a pair in training; plain values, so that it can be written into a recipe.

    `size`: what comes out, one number or (height, width), in pixels. `flips`: the symmetries of the data: "horizontal"
    mirrors left and right, "vertical" top and bottom, "rot90" turns by 0, 90, 180 or 270 degrees (square sizes only);
    each is drawn by itself. Empty where light or writing has a direction, as in shaded relief. `photometric`: change
    the colours of the source (rgb only) and never those of the target. `weight_by_area` (mode crop only): a picture
    takes part in an epoch once for each crop that fits into its area, so that every pixel has the same chance;
    otherwise once. `turn`: by up to so many degrees to either side. `zoom`: width and height are each scaled by a
    factor between 1 / (1 + zoom) and 1 + zoom, as often down as up. Both for few pictures of whole objects, which teach
    little but themselves; what comes in repeats the border.
    Raises `I2IError` (E_RECIPE) for values that do not go together.
    """

    size: int | tuple[int, int] = 256
    mode: Mode = "jitter"
    flips: tuple[Flip, ...] = ("horizontal",)
    photometric: bool = False
    weight_by_area: bool = True
    turn: float = 0.0
    zoom: float = 0.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise I2IError("E_RECIPE", f"augmentation mode '{self.mode}'; known: {', '.join(get_args(Mode))}")
        for flip in self.flips:
            if flip not in get_args(Flip):
                raise I2IError("E_RECIPE", f"augmentation flip '{flip}'; known: {', '.join(get_args(Flip))}")
        if not 0 <= self.turn <= 180 or self.zoom < 0:
            message = (
                f"augmentation turn {self.turn:g}, zoom {self.zoom:g}; a turn is 0 to 180 degrees, a zoom 0 or more"
            )
            raise I2IError("E_RECIPE", message)
        height, width = self.shape
        if min(height, width) < 1:
            raise I2IError("E_RECIPE", f"augmentation size {height}x{width}; both sides are at least 1 pixel")
        if "rot90" in self.flips and height != width:
            raise I2IError("E_RECIPE", f"flip 'rot90' needs a square size, not {height}x{width} (height x width)")

    @property
    def shape(self) -> tuple[int, int]:
        """What comes out, (height, width) in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else (self.size[0], self.size[1])

    @property
    def upright(self) -> Augmentation:
        """The same without turns and zooms: as pictures are looked at, and not as they are learnt from."""
        return replace(self, turn=0.0, zoom=0.0)

    @property
    def minimum_size(self) -> tuple[int, int]:
        """The smallest picture that can be used, (height, width): the crop in mode `crop`, else one pixel."""
        return self.shape if self.mode == "crop" else (1, 1)

    @property
    def resized(self) -> tuple[int, int] | None:
        """The size every picture is brought to before anything random, (height, width); None in mode `crop`."""
        height, width = self.shape
        if self.mode == "jitter":
            return round(height * 286 / 256), round(width * 286 / 256)
        return self.shape if self.mode == "resize" else None


class Geometry:
    """The resize, crop and flips of an `Augmentation`, the same for all pictures of a sample, which look as `pixels`
    say, one for each picture. In two stages: `prepare` is the same for every draw, so that its result can be kept;
    calling the object is the random stage.
    """

    def __init__(self, augmentation: Augmentation, pixels: Sequence[Pixels]) -> None:
        self.augmentation = augmentation
        self._labels = [side.colour == "labels" for side in pixels]
        names = ["image", *(f"image{number}" for number in range(1, len(pixels)))]
        self._names = names
        moved = bool(augmentation.turn or augmentation.zoom)
        # What is turned is interpolated: at twice the size, and brought to its own afterwards, it stays sharp.
        self._detail = 2 if moved and augmentation.resized else 1
        height, width = self._window = tuple(self._detail * side for side in augmentation.shape)
        steps = [_affine(augmentation, labels=any(self._labels))] if moved else []
        steps += _cuts(augmentation, height, width)
        self._compose = _compose(steps, **dict.fromkeys(names[1:], "image"))

    def prepare(self, pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Resize the pictures (uint8, H,W,C, of one size) where the mode asks for it."""
        shape = self.augmentation.resized
        if shape is None:
            return tuple(pictures)
        return self._resized(pictures, (self._detail * shape[0], self._detail * shape[1]))

    def __call__(self, pictures: Sequence[np.ndarray], generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """One draw from prepared pictures (uint8, H,W,C): all of the asked size, new arrays.

        Raises `I2IError` (E_PAIR_SIZE) when they are smaller than the crop.
        """
        return self.drawn(pictures, generator, random.Random(int(generator.integers(2**63))))

    def drawn(
        self, pictures: Sequence[np.ndarray], generator: np.random.Generator, words: random.Random
    ) -> tuple[np.ndarray, ...]:
        """The draw that both generators give; albumentations asks for the two kinds."""
        height, width = self._window
        if pictures[0].shape[0] < height or pictures[0].shape[1] < width:
            raise I2IError("E_PAIR_SIZE", too_small(pictures[0].shape[:2], (height, width)))
        self._compose.set_random_state(generator, words)
        made = self._compose(**dict(zip(self._names, pictures, strict=True)))
        drawn = tuple(np.array(made[name], order="C") for name in self._names)
        return self._resized(drawn, self.augmentation.shape)

    def _resized(self, pictures: Sequence[np.ndarray], shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
        return tuple(
            _resize(picture, shape, labels=labels) for picture, labels in zip(pictures, self._labels, strict=True)
        )


class Augmenter:
    """Carries out an `Augmentation` for pairs: the geometry for both sides, colours for the source alone.

    Two stages as in `Geometry`. Raises `I2IError` (E_RECIPE) when photometric changes are asked for a source that is
    not rgb.
    """

    def __init__(self, augmentation: Augmentation, *, source_pixels: Pixels, target_pixels: Pixels) -> None:
        if augmentation.photometric and source_pixels.colour != "rgb":
            message = (
                f"photometric augmentation needs an rgb source, this one is {source_pixels.colour}; "
                "switch augmentation.photometric off"
            )
            raise I2IError("E_RECIPE", message)
        self.augmentation = augmentation
        self._geometry = Geometry(augmentation, (source_pixels, target_pixels))
        self._colours = _compose(_colours()) if augmentation.photometric else None

    def prepare(self, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Resize both sides (uint8, H,W,C, of one size) where the mode asks for it."""
        source, target = self._geometry.prepare((source, target))
        return source, target

    def __call__(
        self, source: np.ndarray, target: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """One draw from a prepared pair (uint8, H,W,C): both sides of the asked size, new arrays.

        Raises `I2IError` (E_PAIR_SIZE) when the pair is smaller than the crop.
        """
        words = random.Random(int(generator.integers(2**63)))
        source, target = self._geometry.drawn((source, target), generator, words)
        if self._colours is not None:
            self._colours.set_random_state(generator, words)
            source = np.array(self._colours(image=source)["image"], order="C")
        return source, target


def too_small(found: tuple[int, ...], needed: tuple[int, int]) -> str:
    """What to say about a picture (height, width) that is smaller than the crop (height, width)."""
    return (
        f"{found[1]}x{found[0]} pixels, smaller than the crop of {needed[1]}x{needed[0]}; "
        "set --data.augmentation.mode resize or jitter, or a smaller --data.augmentation.size"
    )


def _albumentations() -> Any:
    # It looks for a newer version of itself on the network at import unless told not to.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations


def _compose(transforms: list[Any], **extra: str) -> Any:
    return _albumentations().Compose(transforms, additional_targets=extra)


def _affine(augmentation: Augmentation, *, labels: bool) -> Any:
    import cv2

    largest = 1 + augmentation.zoom
    return _albumentations().Affine(
        scale=(1 / largest, largest),
        balanced_scale=True,
        rotate=(-augmentation.turn, augmentation.turn),
        interpolation=cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR,
        border_mode=cv2.BORDER_REPLICATE,
        p=1.0,
    )


def _cuts(augmentation: Augmentation, height: int, width: int) -> list[Any]:
    a = _albumentations()
    flips = {"horizontal": a.HorizontalFlip(p=0.5), "vertical": a.VerticalFlip(p=0.5), "rot90": a.RandomRotate90(p=1.0)}
    return [a.RandomCrop(height, width, p=1.0), *(flips[flip] for flip in augmentation.flips)]


def _colours() -> list[Any]:
    a = _albumentations()
    return [a.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2), hue=(-0.02, 0.02), p=1.0)]


def _resize(picture: np.ndarray, shape: tuple[int, int], *, labels: bool) -> np.ndarray:
    import cv2

    if picture.shape[:2] == shape:
        return picture
    shrinks = picture.shape[0] >= shape[0] and picture.shape[1] >= shape[1]
    smooth = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resize = _albumentations().Resize(*shape, interpolation=cv2.INTER_NEAREST_EXACT if labels else smooth, p=1.0)
    return np.ascontiguousarray(resize(image=picture)["image"])
