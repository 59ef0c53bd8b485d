"""The look at every pair before step 0: files without a partner, broken files, sides of two sizes, odd colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2i.data.augment import too_small
from i2i.data.layouts import SPLITS, splits
from i2i.data.paired import Matching, Pair, match_pairs
from i2i.data.scan import Scan, Seen, look_at_all
from i2i.errors import I2IError
from i2i.images.card import Pixels


def scan_folder(
    root: Path,
    *,
    source_pixels: Pixels,
    target_pixels: Pixels,
    minimum_size: tuple[int, int] = (1, 1),
    source: str | None = None,
    target: str | None = None,
) -> Scan:
    """Scan every split below `root`; files without a partner and broken files end up in one list.

    Raises `I2IError` (E_LAYOUT, E_NO_IMAGES) only when there is nothing that could be scanned.
    """
    found = splits(root, source=source, target=target) or SPLITS[:1]  # no split at all: `match_pairs` says what is
    matchings = {split: match_pairs(root, split=split, source=source, target=target) for split in found}
    return scan(matchings, source_pixels=source_pixels, target_pixels=target_pixels, minimum_size=minimum_size)


def scan(
    pairs_by_split: Mapping[str, Sequence[Pair] | Matching],
    *,
    source_pixels: Pixels,
    target_pixels: Pixels,
    minimum_size: tuple[int, int] = (1, 1),
) -> Scan:
    """Read every file of every split once, on all cores.

    `minimum_size` (height, width) holds for the split `train`, whose pictures are cut; other splits are used whole.
    """
    matchings = {
        split: given if isinstance(given, Matching) else Matching(list(given), [])
        for split, given in pairs_by_split.items()
    }
    return look_at_all(
        {split: matching.pairs for split, matching in matchings.items()},
        _Look(source_pixels=source_pixels, target_pixels=target_pixels, minimum_size=minimum_size),
        problems=[problem for matching in matchings.values() for problem in matching.problems],
    )


@dataclass(frozen=True, kw_only=True)
class _Look:
    """Looks at one pair of a split."""

    source_pixels: Pixels
    target_pixels: Pixels
    minimum_size: tuple[int, int]

    def __call__(self, split: str, pair: Pair) -> Seen:
        seen = Seen()
        if pair.side_by_side:
            seen.digest(pair.source, f"{split}/both/{pair.name}")
        else:
            seen.digest(pair.source, f"{split}/source/{pair.name}")
            seen.digest(pair.target, f"{split}/target/{pair.name}")
        source = seen.read(pair.source, self.source_pixels)
        if source is not None and pair.side_by_side and self.source_pixels.colour == self.target_pixels.colour:
            target: np.ndarray | None = source
        else:
            target = seen.read(pair.target, self.target_pixels)
        if source is not None and target is not None:
            self._compare(pair, source, target, seen, minimum_size=self.minimum_size if split == "train" else (1, 1))
        return seen

    def _compare(
        self, pair: Pair, source: np.ndarray, target: np.ndarray, seen: Seen, *, minimum_size: tuple[int, int]
    ) -> None:
        try:
            source, target = pair.join(source, target)
            height, width = source.shape[:2]
            if height < minimum_size[0] or width < minimum_size[1]:
                raise I2IError("E_PAIR_SIZE", too_small((height, width), minimum_size), path=pair.source)
        except I2IError as error:
            seen.fault(error, pair.source)
            return
        seen.check_palette(pair.source, source, self.source_pixels)
        seen.check_palette(pair.target, target, self.target_pixels)
