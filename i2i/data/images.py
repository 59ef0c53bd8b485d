"""Single pictures: what a generator from noise learns from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from i2i.data.augment import Augmentation, Geometry
from i2i.data.folder import SampleFolder
from i2i.data.reading import file_area
from i2i.images.card import Pixels
from i2i.images.codec import read
from i2i.weights.pixels import encode


class ImageBatch(NamedTuple):
    """Pictures (N, C, H, W) in the card's range."""

    image: Tensor


class ImageFolder(SampleFolder[Path, tuple[np.ndarray]]):
    """Training samples of a list of picture files that look as `pixels` says."""

    def __init__(
        self,
        files: Sequence[Path],
        *,
        pixels: Pixels,
        value_range: tuple[float, float],
        augmentation: Augmentation,
        seed: int,
        cache_bytes: int = 2 << 30,
    ) -> None:
        super().__init__(files, augmentation=augmentation, seed=seed, cache_bytes=cache_bytes)
        self.pixels = pixels
        self.value_range = value_range
        self._geometry = Geometry(augmentation, (pixels,))

    def area(self, item: Path) -> int:
        """Pixels of the picture."""
        return file_area(item)

    def whole(self, number: int) -> tuple[np.ndarray]:
        """Picture `number` as it is on the disk, uint8 (H, W, C), no augmentation."""
        return (read(self.items[number], colour=self.pixels.colour).pixels,)

    def prepare(self, pictures: tuple[np.ndarray]) -> tuple[np.ndarray]:
        """The resize."""
        (picture,) = self._geometry.prepare(pictures)
        return (picture,)

    def augment(self, pictures: tuple[np.ndarray], generator: np.random.Generator) -> tuple[np.ndarray]:
        """One crop and flip."""
        (picture,) = self._geometry(pictures, generator)
        return (picture,)

    def scale(self, image: Tensor) -> ImageBatch:
        """The batch of a uint8 tensor (N, H, W, C)."""
        return ImageBatch(encode(image, self.pixels, self.value_range))
