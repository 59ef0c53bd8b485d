"""Gradient penalty (WGAN-GP): the critic's slope is pulled to 1 between real and fake images.

Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv 1704.00028, equation 3 and section 4.

Deviations: a critic of patches is taken by the sum of its scores (`gradients.py`); beside a condition, the real batch's
one is shown and not interpolated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.gradients import batch_norm_refusal, one_per_sample, score_slopes
from i2i.adversarial.stabilisers.stabiliser import Stabiliser

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel


class GradientPenalty(Stabiliser):
    """weight * E[(|grad D(x)| - 1)^2] at random points x between real and fake images, one draw per sample.

    `one_sided` leaves slopes below 1 alone (section 4 names it as the weaker constraint). The paper plays the
    Wasserstein game with five critic steps to one of the generator.
    """

    def __init__(self, *, weight: float = 10.0, one_sided: bool = False) -> None:
        super().__init__()
        if weight < 0:
            raise ValueError(f"weight is at least 0, got {weight}")
        self.weight = weight
        self.one_sided = one_sided

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """Batch normalisation mixes the samples."""
        return batch_norm_refusal(discriminator)

    def discriminator_penalty(
        self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None
    ) -> dict[str, Tensor]:
        """`d_gradient_penalty`."""
        between = real.lerp(fake, one_per_sample(duel, real))
        excess = score_slopes(duel, between, condition) - 1
        if self.one_sided:
            excess = excess.relu()
        return {"d_gradient_penalty": self.weight * excess.square().mean()}
