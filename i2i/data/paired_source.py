"""Paired data as a recipe names them: a folder, how its pictures look, and how training samples are cut from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from i2i.data.augment import Augmentation
from i2i.data.folder import chosen_split
from i2i.data.paired import Pair, PairedBatch, PairedFolder, find_pairs
from i2i.data.paired_scan import scan_folder
from i2i.data.sampler import PREVIEW_POSITION
from i2i.data.scan import Scan
from i2i.data.source import DataSource
from i2i.images.card import Pixels

RGB = Pixels()
PAPER = Augmentation()
_LARGEST_PREVIEW = 1024


class PairedSource(DataSource):
    """Pairs below `root` (layouts and the names `source` and `target` as in `find_layout`).

    `source_pixels` and `target_pixels`: how the two sides look (grey, rgb, rgba, label maps). `validation_split` is
    what is looked at during training: `val`, or `test` where there is no `val`, unless named. Decoded pictures are
    kept within `cache_megabytes`.
    """

    batch_type: ClassVar[type[Any]] = PairedBatch
    monitor: ClassVar[str] = "paired"
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
        self.root = Path(root)
        self.source = source
        self.target = target
        self.source_pixels = source_pixels
        self.target_pixels = target_pixels
        self.augmentation = augmentation
        self.validation_split = validation_split
        self.cache_megabytes = cache_megabytes

    def scan(self) -> Scan:
        """Look at every file of every split. Raises `I2IError` (E_LAYOUT, E_NO_IMAGES) when there is nothing."""
        return scan_folder(
            self.root,
            source_pixels=self.source_pixels,
            target_pixels=self.target_pixels,
            minimum_size=self.augmentation.minimum_size,
            source=self.source,
            target=self.target,
        )

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of one split."""
        return find_pairs(self.root, split=split, source=self.source, target=self.target)

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> PairedFolder:
        """The data set of the split `train`."""
        return self._folder(self.pairs("train"), value_range=value_range, seed=seed)

    def monitored(self, scan: Scan, *, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """At most `count` fixed pairs, evenly spread, uint8 (H, W, C): pictures of the monitored split, of large ones
        the middle (1024 px a side at most, so that looking never needs more memory than training).

        Without such a split: training samples (then metrics say how well the model remembers, not how well it
        translates).
        """
        split = chosen_split(list(scan.samples), self.validation_split, root=self.root)
        folder = self._folder(scan.samples[split or "train"], value_range=(-1.0, 1.0), seed=0)
        if split is None:
            return folder.spread(count, position=PREVIEW_POSITION)
        chosen = np.unique(np.linspace(0, len(folder.items) - 1, count).round().astype(int)).tolist()
        return [_middle(*folder.whole(number)) for number in chosen]

    def _folder(self, pairs: list[Pair], *, value_range: tuple[float, float], seed: int) -> PairedFolder:
        return PairedFolder(
            pairs,
            source_pixels=self.source_pixels,
            target_pixels=self.target_pixels,
            value_range=value_range,
            augmentation=self.augmentation,
            seed=seed,
            cache_bytes=self.cache_megabytes << 20,
        )


def _middle(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    top, left = (max(0, (side - _LARGEST_PREVIEW) // 2) for side in source.shape[:2])
    window = slice(top, top + _LARGEST_PREVIEW), slice(left, left + _LARGEST_PREVIEW)
    return source[window], target[window]
