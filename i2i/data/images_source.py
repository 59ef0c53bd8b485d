"""Pictures of one kind as a recipe names them: a folder, how they look, and how training samples are cut from them.

What the kinds of single pictures share is in `PicturesSource`; they differ in what is known of a picture.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from i2i.data.augment import Augmentation, too_small
from i2i.data.folder import chosen_split
from i2i.data.images import ImageBatch, ImageFolder
from i2i.data.layouts import find_images
from i2i.data.sampler import PREVIEW_POSITION
from i2i.data.scan import Scan, Seen, look_at_all
from i2i.data.source import DataSource
from i2i.errors import I2IError
from i2i.images.card import Pixels

RGB = Pixels()
OBJECTS = Augmentation(size=64, mode="resize")


class PicturesSource(DataSource):
    """Base class of the kinds of pictures below `root` that a generator from noise is to make.

    The arguments are those of `ImagesSource`. Raises `I2IError` (E_RECIPE) for photometric changes, which belong to a
    source.
    """

    monitor: ClassVar[str] = "samples"

    def __init__(
        self,
        *,
        root: Path,
        target_pixels: Pixels = RGB,
        augmentation: Augmentation = OBJECTS,
        validation_split: str | None = None,
        cache_megabytes: int = 2048,
    ) -> None:
        if augmentation.photometric:
            message = "data.augmentation.photometric changes a source, and these data have none; switch it off"
            raise I2IError("E_RECIPE", message)
        self.root = Path(root)
        self.source_pixels = None
        self.target_pixels = target_pixels
        self.augmentation = augmentation
        self.validation_split = validation_split
        self.cache_megabytes = cache_megabytes

    @abstractmethod
    def pictures(self) -> dict[str, list[Path]]:
        """The pictures by split, relative to `root`. Raises `I2IError` when they do not lie as they should."""

    def known(self, split: str) -> np.ndarray | None:
        """What is known of each of `pictures()[split]`: int64 [N], its domain or -1; float32 [N, K], its attributes; or
        None where the kind knows nothing.
        """
        return None

    def scan(self) -> Scan:
        """Look at every file of every split. Raises `I2IError` as `pictures`."""
        look = partial(_look, root=self.root, pixels=self.target_pixels, minimum_size=self.augmentation.minimum_size)
        return look_at_all(self.pictures(), look)

    def monitored(self, scan: Scan, *, count: int) -> list[np.ndarray]:
        """`count` fixed samples of the monitored split, uint8 (H, W, C) of the training size; without such a split, of
        the training pictures.
        """
        split = chosen_split(list(scan.samples), self.validation_split, root=self.root)
        folder = self.folder(scan.samples[split or "train"], value_range=(-1.0, 1.0), seed=0, upright=True)
        return [picture for (picture,) in folder.spread(count, position=PREVIEW_POSITION)]

    def told(self, scan: Scan, *, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """At most `count` such samples of those pictures of which something is known, and what: int64 (), its domain,
        or float32 (K,), its attributes.
        """
        split = chosen_split(list(scan.samples), self.validation_split, root=self.root) or "train"
        known, names = self.known(split), scan.samples[split]
        if known is None:
            return []
        rows = np.flatnonzero(known >= 0) if known.ndim == 1 else np.arange(len(known))
        folder = self.folder([names[row] for row in rows], value_range=(-1.0, 1.0), seed=0, upright=True)
        count = min(count, len(folder))
        pictures = [picture for (picture,) in folder.spread(count, position=PREVIEW_POSITION)]
        return [
            (picture, known[rows[folder.item_of(at)]])
            for picture, at in zip(pictures, folder.places(count), strict=True)
        ]

    def folder(
        self, names: Sequence[Path], *, value_range: tuple[float, float], seed: int, upright: bool = False
    ) -> ImageFolder:
        """The samples of some of the pictures, named relative to `root`; `upright` to be looked at, without turns."""
        return ImageFolder(
            [self.root / name for name in names],
            pixels=self.target_pixels,
            value_range=value_range,
            augmentation=self.augmentation.upright if upright else self.augmentation,
            seed=seed,
            cache_bytes=self.cache_megabytes << 20,
        )


class ImagesSource(PicturesSource):
    """Pictures below `root` (layouts as in `find_images`), all of one kind.

    `target_pixels`: how they look (grey, rgb, rgba, label maps). `validation_split` is what generated pictures are
    compared with during training: `val`, or `test` where there is no `val`, unless named. Decoded pictures are kept
    within `cache_megabytes`.
    """

    batch_type: ClassVar[type[Any]] = ImageBatch

    def pictures(self) -> dict[str, list[Path]]:
        """The pictures by split, relative to `root`. Raises `I2IError` (E_LAYOUT, E_NO_IMAGES)."""
        return find_images(self.root)

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> ImageFolder:
        """The data set of the split `train`."""
        return self.folder(self.pictures()["train"], value_range=value_range, seed=seed)


def _look(split: str, name: Path, *, root: Path, pixels: Pixels, minimum_size: tuple[int, int]) -> Seen:
    """Look at one picture; those of every split are cut to the training size."""
    below = name.relative_to(split) if split in name.parts[:1] else name
    key = f"{split}/{below.as_posix()}"
    return look_at_picture(root / name, key, pixels=pixels, minimum_size=minimum_size)


def look_at_picture(path: Path, key: str, *, pixels: Pixels, minimum_size: tuple[int, int]) -> Seen:
    """Look at one picture: `key` is its name in the data set, `minimum_size` (height, width) what it is cut to."""
    seen = Seen()
    seen.digest(path, key)
    picture = seen.read(path, pixels)
    if picture is None:
        return seen
    height, width = picture.shape[:2]
    if height < minimum_size[0] or width < minimum_size[1]:
        seen.fault(I2IError("E_SIZE", too_small((height, width), minimum_size)), path)
    seen.check_palette(path, picture, pixels)
    return seen
