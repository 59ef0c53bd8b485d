"""Pictures of several domains as a recipe names them: a folder for each domain, and how many pictures keep their label.

Without labels for some, the data are those of semi-supervised learning (Salimans et al. 2016, section 5, "Improved
Techniques for Training GANs", arXiv:1606.03498): a few labelled pictures of each domain among many without.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from i2i.data.augment import Augmentation
from i2i.data.conditioned import ConditionedBatch, ConditionedFolder
from i2i.data.images import ImageFolder
from i2i.data.images_source import OBJECTS, RGB, PicturesSource
from i2i.data.layouts import UNLABELLED, domain_names, find_domains
from i2i.data.sampler import labelled
from i2i.errors import I2IError
from i2i.images.card import Condition, Pixels

UNKNOWN = -1


class DomainsSource(PicturesSource):
    """Pictures below `root` in one folder for each domain (layouts as in `find_domains`). Domains are numbered in the
    order of their names; pictures in a folder `unlabelled` have the number -1.

    `target_pixels`: how they look (grey, rgb, rgba, label maps). `validation_split` is what generated pictures are
    compared with during training: `val`, or `test` where there is no `val`, unless named. Decoded pictures are kept
    within `cache_megabytes`.

    `labelled_per_domain`: only so many training pictures of each domain keep their label (all where there are fewer),
    the first in an order drawn from the seed, so that those of a smaller number are among those of a larger one; the
    others count as unlabelled. 0: all of them. `labelled_share`: labelled pictures are repeated until they are this
    share of an epoch, to within one sample; 0: as they are. `balanced`: the domains take turns, so that each comes
    equally often however many pictures it has. Raises `ValueError` for numbers out of range, and for a share beside
    turns.
    """

    batch_type: ClassVar[type[Any]] = ConditionedBatch

    def __init__(
        self,
        *,
        root: Path,
        target_pixels: Pixels = RGB,
        augmentation: Augmentation = OBJECTS,
        validation_split: str | None = None,
        cache_megabytes: int = 2048,
        labelled_per_domain: int = 0,
        labelled_share: float = 0.0,
        balanced: bool = False,
    ) -> None:
        super().__init__(
            root=root,
            target_pixels=target_pixels,
            augmentation=augmentation,
            validation_split=validation_split,
            cache_megabytes=cache_megabytes,
        )
        if labelled_per_domain < 0:
            raise ValueError(f"labelled_per_domain is a number of pictures, or 0 for all, not {labelled_per_domain}")
        if not 0 <= labelled_share < 1:
            raise ValueError(f"labelled_share lies between 0 and 1, not {labelled_share}")
        if balanced and labelled_share:
            raise ValueError("labelled_share and balanced both say how often a picture comes; leave one out")
        self.balanced = balanced
        self.labelled_per_domain = labelled_per_domain
        self.labelled_share = labelled_share

    @property
    def condition(self) -> Condition:
        """The names of the domains. Raises `I2IError` (E_LAYOUT)."""
        return Condition(kind="domains", names=domain_names(self.root))

    def pictures(self) -> dict[str, list[Path]]:
        """The pictures by split, relative to `root`. Raises `I2IError` (E_LAYOUT, E_NO_IMAGES, E_EMPTY_DOMAIN)."""
        return {split: list(chain(*domains.values())) for split, domains in find_domains(self.root).items()}

    def known(self, split: str) -> np.ndarray:
        """The numbers of the domains of `pictures()[split]`, int64 [N]; -1 for those in the folder `unlabelled`."""
        numbers = {name: number for number, name in enumerate(self.condition.names)}
        domains = find_domains(self.root)[split]
        return np.array([numbers.get(name, UNKNOWN) for name, files in domains.items() for _ in files], dtype=np.int64)

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> ConditionedFolder:
        """The data set of the split `train`. Raises `I2IError` (E_RECIPE) for a share that repeating cannot reach."""
        domains = find_domains(self.root)["train"]
        folder = self.folder(list(chain(*domains.values())), value_range=value_range, seed=seed)
        numbers = np.concatenate(
            [self._numbers(number, name, len(names), seed=seed) for number, (name, names) in enumerate(domains.items())]
        )
        epoch = _epoch(folder, numbers, self.labelled_share) if self.labelled_share else None
        ends = np.cumsum([len(names) for names in domains.values()])
        return ConditionedFolder(folder, numbers, epoch=epoch, groups=groups(folder, ends) if self.balanced else ())

    def _numbers(self, number: int, name: str, count: int, *, seed: int) -> np.ndarray:
        """What is known of the pictures of one folder, int64 (count,)."""
        numbers = np.full(count, UNKNOWN, np.int64)
        if name != UNLABELLED:
            numbers[labelled(seed, number, count)[: self.labelled_per_domain or None]] = number
        return numbers


def groups(folder: ImageFolder, ends: np.ndarray) -> list[list[int]]:
    """The indices of a folder whose items are groups behind each other; `ends`: where each group ends."""
    of = np.searchsorted(ends, [folder.item_of(index) for index in range(len(folder))], side="right")
    return [np.flatnonzero(of == group).tolist() for group in range(len(ends))]


def _epoch(folder: ImageFolder, numbers: np.ndarray, share: float) -> list[int]:
    """The indices of an epoch in which the labelled ones come as often, evenly, as it takes to be `share` of it."""
    known = np.array([numbers[folder.item_of(index)] != UNKNOWN for index in range(len(folder))])
    labels, others = np.flatnonzero(known), np.flatnonzero(~known)
    wanted = round(share * len(others) / (1 - share))
    if wanted < len(labels):
        message = (
            f"data.labelled_share {share}: {len(labels)} of {len(known)} samples have a label, which is more; "
            "leave it out, or lower data.labelled_per_domain"
        )
        raise I2IError("E_RECIPE", message)
    repeated = labels[np.arange(wanted) * len(labels) // wanted]
    return sorted([*repeated.tolist(), *others.tolist()])
