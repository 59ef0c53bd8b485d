"""R1: the critic's slope is pulled to 0 at the real images.

Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", arXiv 1801.04406, equation 9.

Deviation: a critic of patches is taken by the sum of its scores (`gradients.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.gradients import batch_norm_refusal, score_gradients
from i2i.adversarial.stabilisers.stabiliser import Stabiliser

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel


class R1(Stabiliser):
    """gamma / 2 * E[|grad D(x)|^2] at real images x."""

    def __init__(self, *, gamma: float = 10.0) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"gamma is at least 0, got {gamma}")
        self.gamma = gamma

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """Batch normalisation mixes the samples."""
        return batch_norm_refusal(discriminator)

    def discriminator_penalty(
        self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None
    ) -> dict[str, Tensor]:
        """`d_r1`."""
        gradients = score_gradients(duel, real, condition)
        return {"d_r1": self.gamma / 2 * gradients.square().sum(1).mean()}
