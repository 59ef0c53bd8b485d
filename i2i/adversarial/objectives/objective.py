"""What an objective is: the two players' losses as functions of what the discriminator says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from i2i.networks.layers.critic_output import CriticOutput


class Judged(NamedTuple):
    """Images (N, C, H, W) in the card's range, as they were before any stabiliser, and the critic's word on them."""

    images: Tensor
    output: CriticOutput

    @property
    def score(self) -> Tensor:
        """The raw scores: any shape with the batch first, real scores high."""
        return self.output.score


class Objective(nn.Module, ABC):
    """Losses of a game. Losses are scalars (means over all scores); state that must survive a resume is a buffer."""

    # Whether the generator's loss looks at the real batch as well.
    sees_real: ClassVar[bool] = False

    def refusal(self, discriminator: nn.Module) -> str | None:
        """Why this objective cannot be played with a discriminator, with the remedy; None when it can."""
        return None

    @abstractmethod
    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """The discriminator's losses, named as in the log; their sum is minimised."""

    @abstractmethod
    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """The generator's adversarial loss; `real` is given when `sees_real`."""

    def advance(self, real: Judged, fake: Judged) -> None:
        """Move the objective's own state on; called once after the discriminator's losses were taken."""

    def indicators(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """Detached values for the log that nobody minimises, such as a measure of convergence."""
        return {}
