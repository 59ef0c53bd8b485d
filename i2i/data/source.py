"""What a dataset is to a recipe: a source of training batches and of pictures to look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from i2i.data.augment import Augmentation
from i2i.data.batches import Samples
from i2i.data.scan import Scan
from i2i.images.card import Condition, Drawing, Pixels
from i2i.networks.layers.label_sets import LabelSet


class DataSource(ABC):
    """Base class of the table's entries. The constructor's keyword-only arguments are the options under `data`.

    `batch_type` joins it to the methods that learn from such batches; `monitor` names what is looked at during
    training (`i2i.evaluation.MONITORS`). `root` is where `--data` points, the pixels say how both sides look (data of
    one kind have no source), and `augmentation` how samples are cut: its size is the networks' training size.
    """

    batch_type: ClassVar[type[Any]]
    monitor: ClassVar[str]
    root: Path
    source_pixels: Pixels | None
    target_pixels: Pixels
    augmentation: Augmentation

    @property
    def condition(self) -> Condition | None:
        """The domains or attributes that the batches say of a picture; None where they say nothing."""
        return None

    @property
    def drawing(self) -> Drawing | None:
        """How the source's characters are drawn; None where the source is no font."""
        return None

    @property
    def label_sets(self) -> tuple[LabelSet, ...]:
        """How the names of the condition belong together where they are labels of several sets; else nothing."""
        return ()

    @abstractmethod
    def scan(self) -> Scan:
        """Look at every file of every split, and list everything wrong. Raises `I2IError` when there is nothing."""

    @abstractmethod
    def training_set(self, *, value_range: tuple[float, float], seed: int) -> Samples:
        """The samples of the split `train`; what a draw gives depends on (seed, draw) alone."""

    @abstractmethod
    def monitored(self, scan: Scan, *, count: int) -> list[Any]:
        """At most `count` fixed samples, as the monitor takes them."""
