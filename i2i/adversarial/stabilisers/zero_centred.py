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
    """gamma / 2 * E[|grad D(x)|^2] at images x.

    `every`: in one turn of the critic out of so many, and so many times as heavy there (lazy regularisation: Karras et
    al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958, section 3.1, one out of 16).
    Deviation: the optimiser's settings stay as they are.
    """

    def __init__(self, *, gamma: float = 10.0, every: int = 1) -> None:
        super().__init__()
        if gamma < 0 or every < 1:
            raise ValueError(f"gamma is at least 0, got {gamma}; and every at least 1, got {every}")
        self.gamma = gamma
        self.every = every

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """Batch normalisation mixes the samples."""
        return batch_norm_refusal(discriminator)

    def penalty(self, name: str, duel: Duel, images: Tensor, condition: Tensor | None) -> dict[str, Tensor]:
        """The penalty at these images, if it is its turn."""
        if self.every > 1 and (int(duel.turns) + 1) % self.every:
            return {}
        weight = self.every * self.gamma / 2
        return {name: weight * score_gradients(duel, images, condition).square().sum(1).mean()}
