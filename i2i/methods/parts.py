"""What a method builds its networks from: the choices of a recipe as factories."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.images.card import Condition
from i2i.networks.layers.label_sets import LabelSet


def no_stabilisers() -> Sequence[Stabiliser]:
    """The bare game."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Factories: a method calls them as often as it has players; each call makes a new part.

    `source_planes` and `target_planes` are the planes of the two sides of the data. `generator(planes in, planes out)`
    and `discriminator(planes seen)` make networks of the recipe's kind; `discriminator(planes seen, size=side)` makes
    one for another size than the training's. Both take `condition_channels` as well, for networks that are told a
    condition, or tell classes, of so many numbers. `condition_numbers`: how many domains or attributes the data have,
    and `condition`: which; `label_sets`: how they belong together, where they come from several sets of data.
    """

    source_planes: int
    target_planes: int
    generator: Callable[..., nn.Module]
    discriminator: Callable[..., nn.Module]
    objective: Callable[[], Objective]
    stabilisers: Callable[[], Sequence[Stabiliser]] = no_stabilisers
    condition_numbers: int = 0
    condition: Condition | None = None
    label_sets: Sequence[LabelSet] = ()

    def duel(self, planes: int, *, generator: nn.Module, size: int | None = None) -> Duel:
        """A discriminator that sees so many planes an image, with the recipe's objective and stabilisers.

        `size`: the side of the images, where it is not the training size. Raises ValueError for parts that make no
        sense together.
        """
        stabilisers = self.stabilisers()
        seen = planes * math.prod(stabiliser.packed for stabiliser in stabilisers)
        network = self.discriminator(seen) if size is None else self.discriminator(seen, size=size)
        return Duel(network, objective=self.objective(), stabilisers=stabilisers, generator=generator)
