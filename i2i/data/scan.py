"""The look at every file before step 0: what cannot be used, what is suspicious, and what exactly was trained on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from i2i.data.problems import Problem, raise_problems
from i2i.errors import I2IError, printable
from i2i.files import sha256
from i2i.images.card import Pixels
from i2i.images.codec import read
from i2i.weights.pixels import check_palette

Item = TypeVar("Item")

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What was found. `digests` maps "split/side/name" to the SHA-256 of the file's bytes (pairs have
    sides); it goes into the run folder.

    `samples` holds the usable and unusable pairs or pictures by split, `problems` everything that forbids the start,
    `warnings` what the user may want to look at.
    """

    samples: dict[str, list[Any]]
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


@dataclass(frozen=True)
class Seen:
    """What the files of one sample gave; each file may turn out bad for its own reason."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def fault(self, error: I2IError, path: Path) -> None:
        """Note what is wrong with a file, once."""
        problem = Problem(error.code, error.path or path, error.message)
        if problem not in self.problems:
            self.problems.append(problem)

    def digest(self, path: Path, key: str) -> None:
        """Note the file's digest under its name in the data set."""
        try:
            self.digests[key] = sha256(path)
        except I2IError as error:
            self.fault(error, path)

    def read(self, path: Path, pixels: Pixels) -> np.ndarray | None:
        """The picture in its colours, uint8 (H, W, C); None, with the fault noted, when it cannot be read."""
        try:
            picture = read(path, colour=pixels.colour)
        except I2IError as error:
            self.fault(error, path)
            return None
        self.warnings.extend(f"{printable(path)}: {warning}" for warning in picture.warnings)
        return picture.pixels

    def check_palette(self, path: Path, picture: np.ndarray, pixels: Pixels) -> None:
        """Note colours of a label map that the palette does not name."""
        try:
            check_palette(picture, pixels)
        except I2IError as error:
            self.fault(error, path)


def look_at_all(
    samples: Mapping[str, list[Item]], look: Callable[[str, Item], Seen], *, problems: Sequence[Problem] = ()
) -> Scan:
    """Call `look(split, sample)` once for every sample of every split, on all cores; `problems` are known before."""
    known, warnings, digests = list(problems), list[str](), dict[str, str]()
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
        for split, items in samples.items():
            for seen in threads.map(look, [split] * len(items), items):
                known += seen.problems
                warnings += seen.warnings
                digests |= seen.digests
    return Scan(samples=dict(samples), problems=tuple(known), warnings=(*warnings, *_shared(digests)), digests=digests)


def _shared(digests: Mapping[str, str]) -> list[str]:
    """A warning when pictures of the training split are also in another one: the scores would flatter."""
    trained = {digest: name for name, digest in digests.items() if name.startswith("train/")}
    both = [name for name, digest in digests.items() if not name.startswith("train/") and digest in trained]
    if not both:
        return []
    example = f"{printable(both[0])} is {printable(trained[digests[both[0]]])}"
    files = "1 file of val or test is" if len(both) == 1 else f"{len(both)} files of val or test are"
    return [f"{files} also in train ({example}): scores on them say little"]
