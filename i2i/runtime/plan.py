"""What a conversion will read and write, with everything that can be refused before any work is done."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from i2i.errors import I2IError, printable
from i2i.images import codec
from i2i.images.card import Pixels
from i2i.runtime.outputs import Format, Written, by_suffix, output_name, refuse_lossy, written_as
from i2i.runtime.sniff import content_of

_SHOWN = 5

Folders = Mapping[str | None, Path]  # where each domain's pictures go, relative to the output
ALONE: Folders = {None: Path()}


@dataclass(frozen=True)
class Item:
    """One picture: where it is, where its translation goes, and its name in logs (relative to the input folder).

    `domain`: which one it is translated to, where the model has several.
    """

    name: Path
    source: Path
    output: Path
    relative_output: Path
    written: Written
    content: str | None
    domain: str | None = None


@dataclass(frozen=True)
class Shard:
    """Part `index` (from 1) of `count` parts of the sorted list."""

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise I2IError("E_USAGE", f"shard {self.index}/{self.count}; expected i/n with 1 <= i <= n")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "i/n". Raises `I2IError` (E_USAGE)."""
        index, slash, count = text.partition("/")
        if not (slash and index.isascii() and index.isdigit() and count.isascii() and count.isdigit()):
            raise I2IError("E_USAGE", f"shard '{text}'; expected i/n, for example 1/4")
        return cls(int(index), int(count))

    @property
    def suffix(self) -> str:
        """What the names of this shard's own files end with: "" for the only one, else "-i-of-n"."""
        return "" if self.count == 1 else f"-{self.index}-of-{self.count}"


def plan_folder(
    source: Path,
    output: Path,
    *,
    target: Pixels,
    wanted: Format,
    keep_extension: bool,
    shard: Shard,
    folders: Folders = ALONE,
) -> list[Item]:
    """List this shard's items in sorted order: every picture once for each of `folders`.

    Raises `I2IError`: E_INOUT_OVERLAP, E_NO_IMAGES, E_COLLISION (checked over all shards), E_USAGE.
    """
    refuse_lossy(wanted, target)
    if _within(output, source):
        message = f"the output folder is the input folder or lies in it ({printable(source)}); choose another"
        raise I2IError("E_INOUT_OVERLAP", message, path=output)
    names = codec.list_images(source)
    if not names:
        known = " ".join(sorted(codec.SUFFIXES))
        raise I2IError("E_NO_IMAGES", f"no images in it; looked for {known}", path=source)
    single = [_item(source, output, name, target, wanted, keep_extension) for name in names]
    items = [item for one in single for item in spread(one, output, folders)]
    _refuse_collisions(items)
    _refuse_links_back(items, source)
    return items[shard.index - 1 :: shard.count]


def plan_one(source: Path, output: Path, *, into_folder: bool, target: Pixels, wanted: Format) -> Item:
    """The item for one picture; `output` is a folder when `into_folder`, else the file to write.

    Raises `I2IError`: E_INOUT_OVERLAP, E_USAGE (a name whose type is unknown or is not the format asked for).
    """
    content = content_of(source)
    if into_folder:
        written = written_as(content, wanted, target)
        name = Path(output_name(Path(source.name), written, wanted=wanted, keep_extension=False))
        output = output / name
    else:
        written = _asked_by_name(output, wanted)
    refuse_lossy(written, target)
    if output.resolve() == source.resolve():
        raise I2IError("E_INOUT_OVERLAP", "the output is the input; choose another name", path=output)
    return Item(Path(source.name), source, output, Path(output.name), written, content)


def spread(item: Item, output: Path, folders: Folders) -> list[Item]:
    """The item once for each domain, in the domain's folder below `output`."""
    placed = [(domain, folder / item.relative_output) for domain, folder in folders.items()]
    return [replace(item, domain=domain, output=output / name, relative_output=name) for domain, name in placed]


def _asked_by_name(output: Path, wanted: Format) -> Written:
    written = by_suffix(output)
    if written is None:
        message = "cannot be written by its name; end it in .png, .jpg or .webp, or in / to mean a folder"
        raise I2IError("E_USAGE", message, path=output)
    if wanted not in ("same", written):
        raise I2IError("E_USAGE", f"the name asks for {written}, --format for {wanted}", path=output)
    return written


def _item(source: Path, output: Path, name: Path, target: Pixels, wanted: Format, keep_extension: bool) -> Item:
    content = content_of(source / name)
    written = written_as(content, wanted, target)
    relative = Path(output_name(name, written, wanted=wanted, keep_extension=keep_extension))
    return Item(name, source / name, output / relative, relative, written, content)


def _refuse_collisions(items: Sequence[Item]) -> None:
    counts = Counter(item.output for item in items)
    clashes = [item for item in items if counts[item.output] > 1]
    if not clashes:
        return
    clashes.sort(key=lambda item: (item.output, item.name))
    shown = "; ".join(f"{printable(i.name)} -> {printable(i.relative_output)}" for i in clashes[: 2 * _SHOWN])
    message = f"{len(clashes)} inputs would share an output: {shown}; use --keep-extension or rename them"
    raise I2IError("E_COLLISION", message)


def _refuse_links_back(items: Sequence[Item], source: Path) -> None:
    for folder in sorted({item.output.parent for item in items}):
        if _within(folder, source):
            raise I2IError("E_INOUT_OVERLAP", f"leads into the input folder {printable(source)}", path=folder)


def refuse_existing(items: Sequence[Item]) -> None:
    """Raise `I2IError` (E_EXISTS) with the count when outputs are there already."""
    there = [item.relative_output for item in items if os.path.lexists(item.output)]
    if there:
        shown = ", ".join(printable(name) for name in there[:_SHOWN])
        message = (
            f"{len(there)} of {len(items)} outputs exist already ({shown}{', ...' if len(there) > _SHOWN else ''})"
        )
        raise I2IError("E_EXISTS", f"{message}; use --overwrite, or --resume to go on with an interrupted conversion")


def _within(inner: Path, outer: Path) -> bool:
    return inner.resolve().is_relative_to(outer.resolve())
