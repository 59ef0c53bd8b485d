"""Pictures with attributes as a recipe names them: a folder, and a list that says what is to be seen in each."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from i2i.data.attribute_list import Matching, match, read_list, read_partition
from i2i.data.augment import Augmentation
from i2i.data.conditioned import ConditionedBatch, ConditionedFolder
from i2i.data.images_source import OBJECTS, RGB, PicturesSource
from i2i.data.layouts import SPLITS, find_images
from i2i.data.problems import raise_problems
from i2i.data.scan import Scan
from i2i.errors import I2IError, printable
from i2i.files import sha256
from i2i.images.card import Condition, Pixels
from i2i.tables import unknown

CELEBA = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"


class AttributesSource(PicturesSource):
    """Pictures below `root` (layouts as in `find_images`) and a list of their attributes in CelebA's format (see
    `i2i.data.attribute_list`: a column of -1 and 1 becomes 0 and 1, any other is kept as it is).

    `list_file`: the list, in `root` or in a folder there; with CelebA's own name it is found too. `attributes`: which
    ones and in which order; empty: all, in the list's. `exclusive_groups`: of which of them a picture has one at most,
    such as the colours of hair, `[[black, fair, brown]]`: setting one takes the others off.
    `list_eval_partition.txt`, where there is one, decides which split a picture belongs to.

    `target_pixels`: how they look (grey, rgb, rgba, label maps). `validation_split` is what generated pictures are
    compared with during training: `val`, or `test` where there is no `val`, unless named. Decoded pictures are kept
    within `cache_megabytes`. Raises `ValueError` for an attribute that is named twice, also in groups.
    """

    batch_type: ClassVar[type[Any]] = ConditionedBatch

    def __init__(
        self,
        *,
        root: Path,
        list_file: str = "list_attr.txt",
        attributes: tuple[str, ...] = (),
        exclusive_groups: tuple[tuple[str, ...], ...] = (),
        target_pixels: Pixels = RGB,
        augmentation: Augmentation = OBJECTS,
        validation_split: str | None = None,
        cache_megabytes: int = 2048,
    ) -> None:
        super().__init__(
            root=root,
            target_pixels=target_pixels,
            augmentation=augmentation,
            validation_split=validation_split,
            cache_megabytes=cache_megabytes,
        )
        if len(set(attributes)) < len(attributes):
            raise ValueError(f"attributes are named once each, not {', '.join(attributes)}")
        grouped = list(chain(*exclusive_groups))
        if len(set(grouped)) < len(grouped) or any(len(group) < 2 for group in exclusive_groups):
            raise ValueError(f"exclusive groups name two attributes or more, each once, not {exclusive_groups}")
        self.exclusive_groups = tuple(tuple(group) for group in exclusive_groups)
        self.list_file = list_file
        self.attributes = tuple(attributes)

    @property
    def condition(self) -> Condition:
        """The names of the attributes and between which values each lies. Raises `I2IError`: E_LAYOUT without a list,
        E_RECIPE for an unknown name, E_BAD_DATA as `read_list`.
        """
        listed = read_list(self._list())
        for name in self.attributes:
            if name not in listed.names:
                message = f"data.attributes: {unknown('attribute', name, listed.names)}"
                raise I2IError("E_RECIPE", message, path=self._list())
        names = self.attributes or listed.names
        for name in chain(*self.exclusive_groups):
            if name not in names:
                message = f"data.exclusive_groups: {unknown('attribute', name, names)}"
                raise I2IError("E_RECIPE", message, path=self._list())
        columns = listed.values[:, [listed.names.index(name) for name in names]]
        ranges = tuple(_range(column) for column in columns.T)
        return Condition(kind="attributes", names=names, ranges=ranges, exclusive_groups=self.exclusive_groups)

    def pictures(self) -> dict[str, list[Path]]:
        """The pictures by split, relative to `root`. Raises `I2IError` (E_LAYOUT, E_NO_IMAGES, E_BAD_DATA)."""
        found, path = find_images(self.root), _below(self.root, PARTITION)
        if path is None:
            return found
        if any((self.root / split).is_dir() for split in found):
            message = f"{PARTITION} and folders named as splits both say which picture is for training; keep one"
            raise I2IError("E_LAYOUT", message, path=self.root)
        files, splits = read_partition(path)
        matching = match(found["train"], files, root=self.root, path=path)
        raise_problems(matching.problems)
        by_split = {split: [name for name, row in matching.rows.items() if splits[row] == split] for split in SPLITS}
        return {split: names for split, names in by_split.items() if names}

    def scan(self) -> Scan:
        """Look at every file of every split, and at the list. Raises `I2IError` as `pictures` and `read_list`."""
        path = self._list()
        listed, scan = read_list(path), super().scan()
        problems = self._matching(listed.files, scan.samples).problems
        digests = scan.digests | {path.name: sha256(path)}
        return replace(scan, problems=(*problems, *scan.problems), digests=digests)

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> ConditionedFolder:
        """The data set of the split `train`. Raises `I2IError` as `scan`."""
        folder = self.folder(self.pictures()["train"], value_range=value_range, seed=seed)
        return ConditionedFolder(folder, self.known("train"))

    def known(self, split: str) -> np.ndarray:
        """The attributes of `pictures()[split]`, float32 [N, K]. Raises `I2IError` as `scan`."""
        listed, pictures = read_list(self._list()), self.pictures()
        matching = self._matching(listed.files, pictures)
        raise_problems(matching.problems)
        columns = [listed.names.index(name) for name in self.condition.names]
        values: np.ndarray = listed.values[[matching.rows[name] for name in pictures[split]]][:, columns]
        return values

    def _matching(self, files: list[str], pictures: dict[str, list[Path]]) -> Matching:
        return match(chain(*pictures.values()), files, root=self.root, path=self._list())

    def _list(self) -> Path:
        path = _below(self.root, self.list_file) or _below(self.root, CELEBA)
        if path is None:
            message = f"there is no {printable(self.list_file)}, the list of attributes; name it with --data.list_file"
            raise I2IError("E_LAYOUT", message, path=self.root)
        return path


def _range(values: np.ndarray) -> tuple[float, float]:
    """The least and the greatest value of an attribute; of one that is only ever yes, or only ever no, both answers."""
    low, high = float(values.min()), float(values.max())
    return (0.0, 1.0) if {low, high} <= {0.0, 1.0} else (low, high) if low < high else (low, low + 1.0)


def _below(root: Path, name: str) -> Path | None:
    """The file of that name in a folder, or in one of the folders there. Raises `I2IError` (E_LAYOUT) for several."""
    if (root / name).is_file() or not root.is_dir():
        return root / name if root.is_dir() else None
    with os.scandir(root) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir())
    found = [root / folder / name for folder in folders if (root / folder / name).is_file()]
    if len(found) > 1:
        listed = " and ".join(printable(path.relative_to(root)) for path in found)
        raise I2IError("E_LAYOUT", f"there are {listed}; keep one of them", path=root)
    return found[0] if found else None
