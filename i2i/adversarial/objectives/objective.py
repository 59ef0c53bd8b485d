"""What an objective is: the two players' losses as functions of the discriminator's raw scores."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Objective(ABC):
    """Losses of a game. Scores have any shape with the batch first; losses are scalars (means over all scores)."""

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The discriminator's losses, named as in the log; their sum is minimised."""

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """The generator's adversarial loss."""
