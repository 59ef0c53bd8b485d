"""Two sets of pictures without pairs as a recipe names them: a folder for each, how they look, how they are cut."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from i2i.data.augment import Augmentation
from i2i.data.folder import chosen_split
from i2i.data.images_source import look_at_picture
from i2i.data.layouts import Layout, find_sides
from i2i.data.sampler import PREVIEW_POSITION
from i2i.data.scan import Scan, Seen, look_at_all
from i2i.data.source import DataSource
from i2i.data.unpaired import UnpairedBatch, UnpairedFolder
from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.images.codec import list_images

RGB = Pixels()
PAPER = Augmentation()

Side = Literal["source", "target"]
SIDES: tuple[Side, ...] = ("source", "target")


class SidePicture(NamedTuple):
    """A picture and its side; `name` is its path below the side's folder."""

    side: Side
    folder: Path
    name: Path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / self.name


class UnpairedSource(DataSource):
    """Two sets of pictures below `root` (layouts and the names `source` and `target` as in `find_sides`), in any
    numbers; names mean nothing.

    `source_pixels` and `target_pixels`: how the two sides look (grey, rgb, rgba, label maps). `validation_split` is
    what is looked at during training: `val`, or `test` where there is no `val`, unless named. Decoded pictures are
    kept within `cache_megabytes`. Raises `I2IError` (E_RECIPE) for photometric changes, by which a side would no longer
    look as its pictures do.
    """

    batch_type: ClassVar[type[Any]] = UnpairedBatch
    monitor: ClassVar[str] = "unpaired"
    source_pixels: Pixels

    def __init__(
        self,
        *,
        root: Path,
        source: str | None = None,
        target: str | None = None,
        source_pixels: Pixels = RGB,
        target_pixels: Pixels = RGB,
        augmentation: Augmentation = PAPER,
        validation_split: str | None = None,
        cache_megabytes: int = 2048,
    ) -> None:
        if augmentation.photometric:
            message = "data.augmentation.photometric would teach colours that a side does not have; switch it off"
            raise I2IError("E_RECIPE", message)
        self.root = Path(root)
        self.source = source
        self.target = target
        self.source_pixels = source_pixels
        self.target_pixels = target_pixels
        self.augmentation = augmentation
        self.validation_split = validation_split
        self.cache_megabytes = cache_megabytes

    def pictures(self) -> dict[str, list[SidePicture]]:
        """The pictures by split, those of the source first. Raises `I2IError` (E_LAYOUT, E_NO_IMAGES)."""
        layouts = find_sides(self.root, source=self.source, target=self.target)
        return {split: _listed(layout) for split, layout in layouts.items()}

    def scan(self) -> Scan:
        """Look at every file of every split. Raises `I2IError` as `pictures`."""
        pixels: dict[Side, Pixels] = {"source": self.source_pixels, "target": self.target_pixels}
        look = partial(_look, pixels=pixels, minimum_size=self.augmentation.minimum_size)
        return look_at_all(self.pictures(), look)

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> UnpairedFolder:
        """The data set of the split `train`."""
        return self._folder(self.pictures()["train"], self.augmentation, value_range=value_range, seed=seed)

    def monitored(self, scan: Scan, *, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """At most `count` fixed pictures of each side, as many as the smaller one has, uint8 (H, W, C) of the training
        size, from the monitored split; without such a split, from the training pictures.
        """
        split = chosen_split(list(scan.samples), self.validation_split, root=self.root)
        pictures = scan.samples[split or "train"]
        folder = self._folder(pictures, self.augmentation.upright, value_range=(-1.0, 1.0), seed=0)
        return folder.spread(count, position=PREVIEW_POSITION)

    def _folder(
        self, pictures: list[SidePicture], augmentation: Augmentation, *, value_range: tuple[float, float], seed: int
    ) -> UnpairedFolder:
        sources, targets = ([picture.path for picture in pictures if picture.side == side] for side in SIDES)
        return UnpairedFolder(
            sources,
            targets,
            source_pixels=self.source_pixels,
            target_pixels=self.target_pixels,
            value_range=value_range,
            augmentation=augmentation,
            seed=seed,
            cache_bytes=self.cache_megabytes << 20,
        )


def _listed(layout: Layout) -> list[SidePicture]:
    """The pictures of both sides. Raises `I2IError` (E_NO_IMAGES) for a side without."""
    found = []
    for side, folder in zip(SIDES, (layout.source, layout.target), strict=True):
        names = list_images(folder)
        if not names:
            raise I2IError("E_NO_IMAGES", "holds no pictures (links to files elsewhere do not count)", path=folder)
        found += [SidePicture(side, folder, name) for name in names]
    return found


def _look(split: str, picture: SidePicture, *, pixels: dict[Side, Pixels], minimum_size: tuple[int, int]) -> Seen:
    """Look at one picture; those of every split are cut to the training size."""
    key = f"{split}/{picture.side}/{picture.name.as_posix()}"
    return look_at_picture(picture.path, key, pixels=pixels[picture.side], minimum_size=minimum_size)
