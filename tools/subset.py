"""A part of a data set in the same layout, for measurements that need not see all of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from i2i.images.codec import list_images

One = TypeVar("One")

LIST = "list_attr.txt"  # of attributes, whose rows begin with the split


def evenly(items: Sequence[One], count: int) -> list[One]:
    """At most `count` of them, evenly chosen, the first and the last among them."""
    places = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[place] for place in places]


def copied(data: Path, out: Path, **counts: int) -> Path:
    """DATA with at most so many pictures of each split (`test=96`), in the folder `out`, which is new.

    Pictures in folders of a split (sides, domains) are taken by name where every folder has it, so that pairs stay
    pairs, and `count` of these; else each folder gives its part. A list of attributes keeps the rows of what is left.
    """
    for split, count in counts.items():
        folders = [folder for folder in sorted((data / split).iterdir()) if folder.is_dir()] or [data / split]
        names = [list_images(folder) for folder in folders]
        shared = set(names[0]).intersection(*names[1:])
        for folder, own in zip(folders, names, strict=True):
            chosen = evenly(sorted(shared), count) if shared else evenly(own, -(-count // len(folders)))
            for name in chosen:
                target = out / folder.relative_to(data) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, target)
    if (data / LIST).exists():
        _, heads, *rows = (data / LIST).read_text().splitlines()
        kept = [row for row in rows if (out / row.split()[0]).exists()]
        (out / LIST).write_text("\n".join([str(len(kept)), heads, *kept, ""]))
    return out
