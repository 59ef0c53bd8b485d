"""Several sets of pictures, each with labels of its own kind, for one network: what StarGAN's mask vector is for.

Choi et al. 2018, "StarGAN", arXiv 1711.09020, section 3.2 ("training with multiple datasets"): of a picture only the
labels of its own set are known. The sets take turns sample by sample, where the authors' code takes a batch of one and
a batch of the other: both see each set equally often, however large it is, and a batch holds as many of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from i2i.data.attributes_source import CELEBA, AttributesSource
from i2i.data.augment import Augmentation
from i2i.data.conditioned import ConditionedBatch, ConditionedFolder
from i2i.data.domains_source import DomainsSource, groups
from i2i.data.images_source import OBJECTS, RGB, PicturesSource
from i2i.data.layouts import SPLITS
from i2i.data.scan import Scan
from i2i.errors import I2IError, printable
from i2i.images.card import Condition, Pixels
from i2i.networks.layers.label_sets import LabelSet
from i2i.tables import unknown

KINDS: dict[str, type[DomainsSource] | type[AttributesSource]] = {
    "domains": DomainsSource,
    "attributes": AttributesSource,
}
LIST = "list_attr.txt"


class JointSource(PicturesSource):
    """The sets in the folders below `root`. A set is one of domains or, with a list in its folder, one of attributes.

    `sets` names them instead, with options of their own: `[{folder: celeba, type: attributes, attributes: [Smiling]},
    {folder: rafd, type: domains}]`. Together they are attributes with all the names; the domains of a set are an
    exclusive group. A picture's labels of the other sets are NaN.

    `target_pixels`, `augmentation`, `validation_split` and `cache_megabytes` are those of all the sets together.
    Raises `ValueError` for a set without a folder of its own, and `I2IError` (E_RECIPE) for options that its kind does
    not have.
    """

    batch_type: ClassVar[type[Any]] = ConditionedBatch

    def __init__(
        self,
        *,
        root: Path,
        sets: tuple[dict[str, Any], ...] = (),
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
        for options in sets:
            if not isinstance(options.get("folder"), str):
                raise ValueError(f"each of the sets names its folder, got {options}")
        folders = [options["folder"] for options in sets]
        if len(set(folders)) < len(folders):
            raise ValueError(f"sets have a folder of their own each, not {', '.join(folders)}")
        self.sets = tuple(sets)

    @property
    def condition(self) -> Condition:
        """The names of all the sets' domains and attributes. Raises `I2IError`: E_LAYOUT for less than two sets, and
        for a name that two of them have.
        """
        names: list[str] = []
        exclusive: list[tuple[str, ...]] = []
        for folder, source in self.sources().items():
            condition = source.condition
            for name in condition.names:
                if name in names:
                    message = f"two of the sets have '{printable(name)}', the second is {printable(folder)}; rename one"
                    raise I2IError("E_LAYOUT", message, path=self.root)
            names += condition.names
            exclusive += [condition.names] if condition.kind == "domains" else condition.exclusive_groups
        ranges = tuple(chain(*(_ranges(source.condition) for source in self.sources().values())))
        return Condition(kind="attributes", names=tuple(names), exclusive_groups=tuple(exclusive), ranges=ranges)

    @property
    def label_sets(self) -> tuple[LabelSet, ...]:
        """How many names each set has; domains exclude each other."""
        conditions = [source.condition for source in self.sources().values()]
        return tuple(LabelSet(len(one.names), exclusive=one.kind == "domains") for one in conditions)

    def pictures(self) -> dict[str, list[Path]]:
        """The pictures by split, set by set, relative to `root`. Raises `I2IError` as the sets' own, and E_LAYOUT for a
        set that has nothing to learn from.
        """
        found = {folder: source.pictures() for folder, source in self.sources().items()}
        for folder, by_split in found.items():
            if "train" not in by_split:
                raise I2IError("E_LAYOUT", "there is no split 'train' in this set", path=self.root / folder)
        by_split = {
            split: [Path(f) / name for f, own in found.items() for name in own.get(split, ())] for split in SPLITS
        }
        return {split: names for split, names in by_split.items() if names}

    def known(self, split: str) -> np.ndarray:
        """The labels of `pictures()[split]`, float32 [N, K], NaN for those of other sets."""
        return np.concatenate(self._known(split))

    def scan(self) -> Scan:
        """Look at every file of every set. Raises `I2IError` as their own scans."""
        scans = {folder: source.scan() for folder, source in self.sources().items()}
        return Scan(
            samples=self.pictures(),
            problems=tuple(chain(*(scan.problems for scan in scans.values()))),
            warnings=tuple(chain(*(scan.warnings for scan in scans.values()))),
            digests={f"{folder}/{name}": d for folder, scan in scans.items() for name, d in scan.digests.items()},
        )

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> ConditionedFolder:
        """The data set of the split `train`, in which the sets take turns."""
        known = self._known("train")
        folder = self.folder(self.pictures()["train"], value_range=value_range, seed=seed)
        ends = np.cumsum([len(rows) for rows in known])
        return ConditionedFolder(folder, np.concatenate(known), groups=groups(folder, ends))

    def _known(self, split: str) -> list[np.ndarray]:
        """The labels of each set's pictures of a split among all the labels, float32 [n, K]."""
        found, sources = [], self.sources().values()
        width, start = sum(len(source.condition.names) for source in sources), 0
        for source in sources:
            size = len(source.condition.names)
            own = source.known(split) if split in source.pictures() else np.zeros((0, size), np.float32)
            if own.ndim == 1:
                own = _one_hot(own, size, source.root)
            rows = np.full((len(own), width), np.nan, np.float32)
            rows[:, start : start + size] = own
            found.append(rows)
            start += size
        return found

    def sources(self) -> dict[str, DomainsSource | AttributesSource]:
        """The sets by their folders."""
        chosen: Sequence[dict[str, Any]] = self.sets or [{"folder": name} for name in self._folders()]
        if len(chosen) < 2:
            raise I2IError("E_LAYOUT", "holds less than two sets; each is a folder of its own", path=self.root)
        return {options["folder"]: self._source(**options) for options in chosen}

    def _source(self, *, folder: str, type: str = "", **options: Any) -> DomainsSource | AttributesSource:  # noqa: A002
        root = self.root / folder
        listed = any((root / name).is_file() for name in (LIST, CELEBA, options.get("list_file", LIST)))
        kind = type or ("attributes" if listed else "domains")
        if kind not in KINDS:
            raise I2IError("E_RECIPE", f"data.sets: {unknown('kind of set', kind, tuple(KINDS))}")
        try:
            return KINDS[kind](
                **options,
                root=root,
                target_pixels=self.target_pixels,
                augmentation=self.augmentation,
                validation_split=self.validation_split,
                cache_megabytes=self.cache_megabytes,
            )
        except TypeError as error:
            raise I2IError("E_RECIPE", f"data.sets: {folder}: {error}") from None

    def _folders(self) -> list[str]:
        if not self.root.is_dir():
            raise I2IError("E_LAYOUT", "is not a folder; --data takes the one that holds the sets", path=self.root)
        return sorted(path.name for path in self.root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _ranges(condition: Condition) -> tuple[tuple[float, float], ...]:
    return condition.ranges or ((0.0, 1.0),) * len(condition.names)


def _one_hot(numbers: np.ndarray, size: int, root: Path) -> np.ndarray:
    if (numbers < 0).any():
        message = "holds pictures whose domain is not known, which are of no use beside other sets; take them out"
        raise I2IError("E_LAYOUT", message, path=root)
    rows: np.ndarray = np.eye(size, dtype=np.float32)[numbers]
    return rows
