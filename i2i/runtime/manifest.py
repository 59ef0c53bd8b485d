"""What a conversion has written, one JSON line a picture, so that an interrupted one can go on.

A line is written after its picture has its final name. A kill in between costs one picture done twice, never a picture
taken for done that is not. A torn last line is passed over.
"""

from __future__ import annotations

import json
import os
import stat
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TypedDict

from i2i.errors import I2IError
from i2i.files import sha256
from i2i.runtime.disk import disk

NAME = "manifest"
_SYNC_SECONDS = 2.0


@dataclass(frozen=True)
class Source:
    """A picture file as it was just before it was read."""

    bytes: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Source | None:
        """None for what is not a readable regular file; reading it will say why."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            return cls(status.st_size, status.st_mtime_ns, sha256(path))
        except (OSError, I2IError):
            return None

    def still(self, path: Path) -> bool:
        """Whether the file at `path` has these contents (by size and time, else by digest)."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size != self.bytes:
                return False
            return status.st_mtime_ns == self.mtime_ns or sha256(path) == self.sha256
        except (OSError, I2IError):
            return False


class Making(TypedDict):
    """What an output is made by: `model` (its digest), translated to `domain` or with these `attributes` changed, as
    the model asks, with `tile` as it was asked for, on this `provider`.
    """

    model: str
    domain: str | None
    attributes: dict[str, float] | None
    tile: int | None
    provider: str


@dataclass(frozen=True)
class Entry:
    """One written picture: `output` (relative to the output folder) from `source`; the rest is its `Making`."""

    output: str
    bytes: int
    sha256: str
    source: Source
    model: str
    domain: str | None
    attributes: dict[str, float] | None
    tile: int | None
    provider: str

    def made_by(self, now: Making) -> bool:
        """Whether the same would be made now."""
        return all(getattr(self, name) == value for name, value in now.items())

    def verified(self, output: Path, source: Path) -> bool:
        """Whether the output is complete and unchanged, and the source is the one it was made from."""
        try:
            status = output.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size != self.bytes:
                return False
            return self.source.still(source) and sha256(output) == self.sha256
        except (OSError, I2IError):
            return False


class Manifest:
    """The manifest of one shard, open for adding lines. Use as a context manager.

    Raises `I2IError` (E_NOSPACE, E_IO) when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._synced = time.monotonic()

    def __enter__(self) -> Manifest:
        with disk(self._path):
            self._file = self._path.open("a+b")
            if _is_torn(self._file):
                self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with disk(self._path), self._file:
                self._sync()

    def add(self, entry: Entry) -> None:
        """Write one line; it reaches the system at once and the disk within two seconds of work."""
        assert self._file is not None, "the manifest is open"
        with disk(self._path):
            self._file.write(json.dumps(asdict(entry)).encode("ascii") + b"\n")
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                self._sync()

    def _sync(self) -> None:
        assert self._file is not None, "the manifest is open"
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def read_manifests(folder: Path) -> dict[str, Entry] | None:
    """The latest entry of each output over the manifests of all shards, or None where there is no manifest.

    Lines that are torn or that this version does not understand are passed over: their pictures are done again.
    Raises `I2IError` (E_IO) when a manifest cannot be read.
    """
    paths = sorted(folder.glob(f"{NAME}*.jsonl"))
    entries: dict[str, Entry] = {}
    for path in paths:
        with disk(path), path.open("rb") as file:
            for line in file:
                entry = _parse(line)
                if entry is not None:
                    entries[entry.output] = entry
    return entries if paths else None


def _parse(line: bytes) -> Entry | None:
    try:
        value = json.loads(line)
        entry = Entry(**{**value, "source": Source(**value["source"])})
        return entry if isinstance(entry.output, str) else None
    except (ValueError, TypeError, KeyError):
        return None


def _is_torn(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
