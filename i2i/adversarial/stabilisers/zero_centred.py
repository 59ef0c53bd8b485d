"""What R1 and R2 share: the critic's slope at given images is pulled to 0.

Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", arXiv 1801.04406, section 4.1.

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


class ZeroCentred(Stabiliser):
    """gamma / 2 * E[|grad D(x)|^2] at images x."""

    def __init__(self, *, gamma: float = 10.0) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"gamma is at least 0, got {gamma}")
        self.gamma = gamma

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """Batch normalisation mixes the samples."""
        return batch_norm_refusal(discriminator)

    def penalty(self, duel: Duel, images: Tensor, condition: Tensor | None) -> Tensor:
        """The penalty at these images."""
        return self.gamma / 2 * score_gradients(duel, images, condition).square().sum(1).mean()
