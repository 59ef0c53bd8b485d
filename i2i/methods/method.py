"""What a method is, and what it asks of the engine that runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal, Protocol

from torch import Tensor, nn

from i2i.images.card import Condition, NetworkSpec

Side = Literal["source", "target", "latent"]


class Turn(Protocol):
    """One player's turn: everything inside its `with` block is the player's forward pass."""

    def minimise(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Backpropagate the sum of the (already weighted) losses; returns them detached, for the log."""


class Engine(Protocol):
    """What a training step may use (`i2i.training.engine.Engine`; here so that methods stand below training)."""

    def forward(self) -> AbstractContextManager[None]:
        """A block for a forward pass whose result several turns use: precision as in a turn, nothing is stepped."""

    def turn(self, player: str, *, stepped: Callable[[], None] | None = None) -> AbstractContextManager[Turn]:
        """A block in which `player` alone learns; its optimiser steps at the end, and then `stepped` is called."""


class Method(nn.Module, ABC):
    """Owns its networks and writes its own training step, read from top to bottom.

    All state that a resume needs stands in parameters and buffers. Nothing is passed through `self` inside a step.
    """

    batch_type: ClassVar[type[Any]]
    # Which side of the data each direction starts from and ends at; `latent` is noise.
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"a2b": ("source", "target")}

    # Whether each picture's domain has to be known; else it may be -1.
    every_label: ClassVar[bool] = False

    @abstractmethod
    def players(self) -> dict[str, nn.Module]:
        """The parts that have an optimiser each, by the name used in `engine.turn(name)` and in the log."""

    @abstractmethod
    def generators(self) -> dict[str, nn.Module]:
        """The networks to ship, one for each of `directions`; the first is the main one. An average of each is kept."""

    def other_sizes(self) -> dict[str, int]:
        """The players that judge pictures of another side than the training size, with that side."""
        return {}

    def condition(self, data: Condition | None) -> Condition | None:
        """What steers the generators beside their source, given what the data are labelled with: nothing, here."""
        return None

    def shipped(self, generator: NetworkSpec, *, discriminator: NetworkSpec) -> NetworkSpec:
        """How to build what `generators` gives, told how the recipe's generator is built: the same, here. Of the
        recipe's discriminator the options are told, without what this method supplies.
        """
        return generator

    @abstractmethod
    def training_step(self, batch: Any, engine: Engine) -> dict[str, Tensor]:
        """One iteration on a batch of `batch_type`; returns the losses for the log, detached."""
