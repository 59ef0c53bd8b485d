"""The duel: a discriminator, the objective it plays and the stabilisers around it, as one part that methods use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.losses.precision import at_least_float32
from i2i.networks.layers.critic_output import CriticOutput


class Duel(nn.Module):
    """Both players' adversarial losses. Knows nothing about optimisers: methods minimise what it returns."""

    def __init__(
        self, discriminator: nn.Module, *, objective: Objective, stabilisers: Sequence[Stabiliser] = ()
    ) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.objective = objective
        self.stabilisers = nn.ModuleList(stabilisers)

    def judge(self, image: Tensor, *, condition: Tensor | None = None) -> CriticOutput:
        """What the discriminator says of images (N, C, H, W), seen beside condition planes of the same size."""
        for stabiliser in cast("Iterable[Stabiliser]", self.stabilisers):
            image, condition = stabiliser.discriminator_input(image, condition)
        seen = image if condition is None else torch.cat((condition, image), 1)
        output = self.discriminator(seen)
        if not isinstance(output, CriticOutput):
            raise TypeError(f"a discriminator returns a CriticOutput, got {type(output).__name__}")
        return output._replace(score=at_least_float32(output.score))

    def discriminator_losses(self, real: Tensor, fake: Tensor, *, condition: Tensor | None = None) -> dict[str, Tensor]:
        """The discriminator's losses on real images and on (detached here) fake ones."""
        real_output = self.judge(real, condition=condition)
        fake_output = self.judge(fake.detach(), condition=condition)
        return self.objective.discriminator(real_output.score, fake_output.score)

    def generator_losses(self, fake: Tensor, *, condition: Tensor | None = None) -> dict[str, Tensor]:
        """The generator's adversarial loss under the name `g_adversarial`."""
        return {"g_adversarial": self.objective.generator(self.judge(fake, condition=condition).score)}
