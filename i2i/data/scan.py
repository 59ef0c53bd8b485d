"""The look at every file before step 0: what cannot be used, what is suspicious, and what exactly was trained on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from i2i.data.augment import too_small
from i2i.data.layouts import SPLITS, splits
from i2i.data.paired import Matching, Pair, match_pairs
from i2i.data.problems import Problem, raise_problems
from i2i.data.reading import join
from i2i.errors import I2IError, printable
from i2i.files import sha256
from i2i.images.card import Pixels
from i2i.images.codec import read
from i2i.weights.pixels import check_palette

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What was found. `digests` maps "split/side/name" to the SHA-256 of the file's bytes; it goes into the run folder.

    `pairs` holds the usable and unusable pairs by split, `problems` everything that forbids the start, `warnings` what
    the user may want to look at.
    """

    pairs: dict[str, list[Pair]]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    digests: dict[str, str]

    def raise_if_bad(self) -> None:
        """Raise one `I2IError` that lists every problem; its code as in `raise_problems`."""
        raise_problems(self.problems)

    def fingerprint(self) -> str:
        """SHA-256 of the names and contents of all files, as hexadecimal; independent of dates and of their folder."""
        text = "".join(f"{digest} {name}\n" for name, digest in sorted(self.digests.items()))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def raise_if_changed(self, before: Mapping[str, str]) -> None:
        """Raise `I2IError` (E_DATA_CHANGED), with the differences, unless `digests` equal those of an earlier scan."""
        lines = [f"  added: {name}" for name in sorted(self.digests.keys() - before.keys())]
        lines += [f"  removed: {name}" for name in sorted(before.keys() - self.digests.keys())]
        both = sorted(self.digests.keys() & before.keys())
        lines += [f"  other content: {name}" for name in both if self.digests[name] != before[name]]
        if not lines:
            return
        more = [f"  ... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        start = (
            f"the data are not those the run began with ({len(lines)} differences); restore them or start a new run:"
        )
        raise I2IError("E_DATA_CHANGED", "\n".join([start, *lines[:_SHOWN], *more]))


class _Seen(NamedTuple):
    """What one pair's files gave."""

    problems: list[Problem]
    warnings: list[str]
    digests: dict[str, str]


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
    problems = [problem for matching in matchings.values() for problem in matching.problems]
    warnings: list[str] = []
    digests: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
        for split, (pairs, _) in matchings.items():
            look = _Look(
                split=split,
                source_pixels=source_pixels,
                target_pixels=target_pixels,
                minimum_size=minimum_size if split == "train" else (1, 1),
            )
            for seen in threads.map(look, pairs):
                problems += seen.problems
                warnings += seen.warnings
                digests |= seen.digests
    return Scan(
        pairs={split: matching.pairs for split, matching in matchings.items()},
        problems=tuple(problems),
        warnings=(*warnings, *_shared(digests)),
        digests=digests,
    )


@dataclass(frozen=True, kw_only=True)
class _Look:
    """Looks at one pair of a split: both files may turn out bad, each for its own reason."""

    split: str
    source_pixels: Pixels
    target_pixels: Pixels
    minimum_size: tuple[int, int]

    def __call__(self, pair: Pair) -> _Seen:
        seen = _Seen([], [], {})
        if pair.side_by_side:
            self._digest(pair.source, f"{self.split}/both/{pair.name}", seen)
        else:
            self._digest(pair.source, f"{self.split}/source/{pair.name}", seen)
            self._digest(pair.target, f"{self.split}/target/{pair.name}", seen)
        source = self._read(pair.source, self.source_pixels, seen)
        if source is not None and pair.side_by_side and self.source_pixels.colour == self.target_pixels.colour:
            target: np.ndarray | None = source
        else:
            target = self._read(pair.target, self.target_pixels, seen)
        if source is not None and target is not None:
            self._compare(pair, source, target, seen)
        return seen._replace(problems=list(dict.fromkeys(seen.problems)))

    def _digest(self, path: Path, key: str, seen: _Seen) -> None:
        try:
            seen.digests[key] = sha256(path)
        except I2IError as error:
            seen.problems.append(_problem(error, path))

    def _read(self, path: Path, pixels: Pixels, seen: _Seen) -> np.ndarray | None:
        try:
            picture = read(path, colour=pixels.colour)
        except I2IError as error:
            seen.problems.append(_problem(error, path))
            return None
        seen.warnings.extend(f"{printable(path)}: {warning}" for warning in picture.warnings)
        return picture.pixels

    def _compare(self, pair: Pair, source: np.ndarray, target: np.ndarray, seen: _Seen) -> None:
        try:
            source, target = join(pair, source, target)
            height, width = source.shape[:2]
            if height < self.minimum_size[0] or width < self.minimum_size[1]:
                raise I2IError("E_PAIR_SIZE", too_small((height, width), self.minimum_size), path=pair.source)
        except I2IError as error:
            seen.problems.append(_problem(error, pair.source))
            return
        for path, picture, pixels in (
            (pair.source, source, self.source_pixels),
            (pair.target, target, self.target_pixels),
        ):
            try:
                check_palette(picture, pixels)
            except I2IError as error:
                seen.problems.append(_problem(error, path))


def _problem(error: I2IError, path: Path) -> Problem:
    return Problem(error.code, error.path or path, error.message)


def _shared(digests: Mapping[str, str]) -> list[str]:
    """A warning when pictures of the training split are also in another one: the scores would flatter."""
    trained = {digest: name for name, digest in digests.items() if name.startswith("train/")}
    both = [name for name, digest in digests.items() if not name.startswith("train/") and digest in trained]
    if not both:
        return []
    example = f"{printable(both[0])} is {printable(trained[digests[both[0]]])}"
    files = "1 file of val or test is" if len(both) == 1 else f"{len(both)} files of val or test are"
    return [f"{files} also in train ({example}): scores on them say little"]
