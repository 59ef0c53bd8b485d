"""A translator that changes some attributes of a picture and keeps the others: a generator, and a reader beside it.

StarGAN's generator (Choi et al. 2018, arXiv 1711.09020) has to be told all attributes of the picture that it is to
make, also those that are to stay as they are; one that learnt from differences (Liu et al. 2019, "STGAN", arXiv
1904.09709, section 3.1) has to be told which of them change, and from what. What they are is read off the picture by
the critic's classifier, inside the network, so that whoever runs it names what is to be and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from i2i.networks import NETWORKS
from i2i.networks.layers.label_sets import LabelSet, columns, vector, width


class Editor(nn.Module):
    """A `generator` that is told labels of `sets`, and a `reader` whose `classes` are their logits.

    Planes (N, C, H, W) and a condition float (N, K), NaN for a label that is to stay, to planes. The reader says "yes"
    above a logit of 0, or of an exclusive set for the greatest. A generator that learnt from several sets is told
    labels of one at a time: the picture passes through it once for each set of which a label is given. With
    `differences` it is told the labels less those that the picture has: 1 for what comes, -1 for what goes, else 0.
    """

    def __init__(
        self,
        generator: nn.Module,
        reader: nn.Module,
        sets: Sequence[LabelSet],
        groups: Sequence[Sequence[int]] = (),
        *,
        differences: bool = False,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.reader = reader
        self.differences = differences
        self.sets = tuple(LabelSet(*labels) for labels in sets)
        self.condition_channels = sum(labels.size for labels in self.sets)
        self.groups = tuple(tuple(group) for group in groups)
        self.multiple = self.minimum = self.size = int(reader.size)  # type: ignore[arg-type]
        self.size_matters = bool(getattr(generator, "size_matters", False))

    def forward(self, planes: Tensor, condition: Tensor) -> Tensor:
        """Change what `condition` says of the pictures (N, C, H, W)."""
        present = self.read(planes)
        for _, place in columns(self.sets):
            given = condition[:, place]
            stays = given.isnan()
            labels = torch.full_like(condition, torch.nan)
            own = present[:, place].to(given.dtype)
            labels[:, place] = torch.where(stays, own, given) - (own if self.differences else 0)
            changed = self.generator(planes, vector(labels, self.sets))
            # With a single set the picture is made anew even where nothing is to change: as it was trained.
            untouched = stays.all(1)[:, None, None, None] if len(self.sets) > 1 else None
            planes = changed if untouched is None else torch.where(untouched, planes, changed)
        return planes

    def read(self, planes: Tensor) -> Tensor:
        """The labels that pictures (N, C, H, W) have: 0 or 1, (N, K); of a group the likeliest at most."""
        logits = self.reader(planes).classes
        found = []
        for labels, place in columns(self.sets):
            own = logits[:, place]
            level = own.amax(1, keepdim=True) if labels.exclusive else torch.zeros_like(own)
            found.append(own >= level if labels.exclusive else own > level)
        read = torch.cat(found, 1)
        for group in self.groups:
            member = torch.tensor([place in group for place in range(self.condition_channels)], device=read.device)
            beaten = logits < logits[:, list(group)].amax(1, keepdim=True)
            read = read & ~(beaten & member)
        return read.to(planes.dtype)


class AttributeEditor(Editor):
    """An `Editor` of two networks of the table: `generator` and `reader` name them and their options.

    `label_sets`: how many labels each set has, and whether they exclude each other, `[[5, false], [8, true]]`; without
    them all `condition_channels` labels are one set of attributes. `groups`: labels by number of which a picture has
    one at most, `[[2, 3, 4]]`.
    """

    def __init__(
        self,
        *,
        generator: dict[str, Any],
        reader: dict[str, Any],
        in_channels: int = 3,
        out_channels: int = 3,
        condition_channels: int = 5,
        label_sets: tuple[tuple[int, bool], ...] = (),
        groups: tuple[tuple[int, ...], ...] = (),
        differences: bool = False,
    ) -> None:
        sets = [LabelSet(*labels) for labels in label_sets] or [LabelSet(condition_channels)]
        if sum(labels.size for labels in sets) != condition_channels:
            raise ValueError(f"label_sets {label_sets} are not {condition_channels} labels together")
        super().__init__(
            _made(generator, in_channels=in_channels, out_channels=out_channels, condition_channels=width(sets)),
            _made(reader, in_channels=in_channels, condition_channels=condition_channels),
            sets,
            groups,
            differences=differences,
        )


def _made(network: dict[str, Any], **supplied: int) -> nn.Module:
    options = {name: value for name, value in network.items() if name != "type"}
    try:
        made: nn.Module = NETWORKS[network.get("type", "")](**options, **supplied)
    except TypeError as error:
        raise ValueError(f"network {network}: {error}") from None
    return made
