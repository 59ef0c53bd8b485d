"""What happens to one picture: read, translate, write. Each stage may run in a thread of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import I2IError
from i2i.files import publish_bytes
from i2i.images import codec
from i2i.runtime.alpha import carried
from i2i.runtime.conditions import changed
from i2i.runtime.failures import Failure, Stage
from i2i.runtime.manifest import Entry, Making, Source
from i2i.runtime.memory import is_out_of_memory
from i2i.runtime.plan import Item
from i2i.runtime.translator import Array, Translator

# Pictures of one size in one run of a model in integers, of which layers of few pixels then read their weights once: a
# tenth of the time of a U-Net-256. Each comes out as it would alone, to the bit, as sums of integers have no order; in
# float they would not, and a picture must not depend on its neighbours in the folder.
TOGETHER = 4


@dataclass
class Job:
    """One picture on its way: its pixels before, then after translation."""

    item: Item
    source: Source | None
    pixels: Array
    alpha: Array | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A picture that is done: its line for the manifest, and what the user should know about its source.

    `entry` is None when the source could not be told apart again, so that `--resume` does it anew.
    """

    item: Item
    entry: Entry | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Skipped:
    """A picture whose output was verified and stays."""

    item: Item


class ItemError(Exception):
    """One picture has failed; the others go on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class Stages:
    """The three stages for one conversion.

    `model`: digest of the model, for the manifest. `attributes`: those to change, where the model has some. `done`:
    entries to verify and skip. `overwrite`: whether to replace outputs that are there.
    """

    def __init__(
        self,
        translator: Translator,
        *,
        model: str,
        attributes: Mapping[str, float] | None,
        done: dict[str, Entry],
        overwrite: bool,
    ) -> None:
        self._translator = translator
        self._card = translator.card
        self._model = model
        self._attributes = None if attributes is None else dict(attributes)
        self._done = done
        self._overwrite = overwrite

    def read(self, item: Item) -> Job | Skipped:
        """Decode a picture, or find that its output is already there. Raises `ItemError`."""
        entry = self._done.get(str(item.relative_output))
        if entry is not None and entry.made_by(self._making(item)) and entry.verified(item.output, item.source):
            return Skipped(item)
        try:
            # The digest comes first: if the file changes in between, the manifest does not match it any more.
            source = Source.of(item.source)
            picture = codec.read(item.source, colour=self._card.source.colour)
        except (I2IError, MemoryError) as error:
            raise _failed(error, item, "read") from error
        return Job(item, source, picture.pixels, picture.alpha, picture.warnings)

    def translate(self, job: Job) -> Job:
        """Replace the pixels by the translated ones. Raises `ItemError`."""
        try:
            wanted = changed(self._card, 1, domain=job.item.domain, attributes=self._attributes)
            pixels = self._translator.apply(job.pixels, **wanted._asdict())
            return Job(job.item, job.source, pixels, carried(job.alpha, self._card), job.warnings)
        except (I2IError, MemoryError, RuntimeError) as error:
            if not isinstance(error, I2IError) and not is_out_of_memory(error):
                raise
            raise _failed(error, job.item, "translate", job.pixels) from error

    @property
    def together(self) -> int:
        """How many pictures `translate_all` gains by."""
        precision = self._card.precision
        return TOGETHER if precision is not None and precision.arithmetic == "int8" else 1

    def translate_all(self, jobs: Sequence[Job]) -> list[Job | ItemError]:
        """What becomes of each: in one run, where they are alike and it does not fail, else one by one."""
        kinds = {(job.pixels.shape, job.item.domain) for job in jobs}
        if len(jobs) > 1 and len(kinds) == 1:
            try:
                given = [job.pixels for job in jobs]
                made = self._translator.batch(given, domain=jobs[0].item.domain, set=self._attributes)
            except (I2IError, MemoryError, RuntimeError):
                pass  # one of them, or all together: each says by itself what is wrong
            else:
                return [
                    Job(job.item, job.source, pixels, carried(job.alpha, self._card), job.warnings)
                    for job, pixels in zip(jobs, made, strict=True)
                ]
        return [self._alone(job) for job in jobs]

    def _alone(self, job: Job) -> Job | ItemError:
        try:
            return self.translate(job)
        except ItemError as error:
            return error

    def write(self, job: Job) -> Written:
        """Encode and publish.

        Raises `ItemError`, and `I2IError` (E_NOSPACE, E_IO) when nothing more can be written.
        """
        item = job.item
        try:
            data = codec.encode(job.pixels, format=item.written, alpha=job.alpha)
            publish_bytes(item.output, data, overwrite=self._overwrite)
        except (I2IError, MemoryError) as error:
            if isinstance(error, I2IError) and error.code in ("E_NOSPACE", "E_IO"):
                raise
            raise _failed(error, item, "write", job.pixels) from error
        entry = None
        if job.source is not None:
            digest = hashlib.sha256(data).hexdigest()
            entry = Entry(str(item.relative_output), len(data), digest, job.source, **self._making(item))
        return Written(item, entry, job.warnings)

    def _making(self, item: Item) -> Making:
        return {
            "model": self._model,
            "domain": item.domain,
            "attributes": self._attributes,
            "tile": self._translator.tile,
            "provider": self._translator.provider,
        }


def _failed(error: Exception, item: Item, stage: Stage, pixels: Array | None = None) -> ItemError:
    size = None if pixels is None else (pixels.shape[1], pixels.shape[0])
    code = error.code if isinstance(error, I2IError) else "E_OOM"
    detail = error.message if isinstance(error, I2IError) else "not enough memory for this picture"
    return ItemError(Failure(code, os.fspath(item.name), stage, detail, _bytes(item.source), item.content, size))


def _bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
