"""DRAGAN: the critic's slope is pulled to 1 around the real images.

Kodali et al. 2017, "On Convergence and Stability of GANs", arXiv 1705.07215, the local penalty at the end of section 2:
weight * E[(|grad D(x + noise)| - 1)^2].

The paper writes the noise as N(0, cI) and leaves c open. This is the variant of the authors' published code, which made
their results: uniform noise of 0..1 times half the standard deviation of the whole real batch, and then a random point
between the image and its noisy copy. The noise is never negative: it brightens.

Deviation: a critic of patches is taken by the sum of its scores (`gradients.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.gradients import batch_norm_refusal, one_per_sample, score_slopes
from i2i.adversarial.stabilisers.stabiliser import Stabiliser

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel


class Dragan(Stabiliser):
    """weight * E[(|grad D(x)| - 1)^2] at noisy real images.

    `noise` is the largest noise, in standard deviations of the real batch.
    """

    def __init__(self, *, weight: float = 10.0, noise: float = 0.5) -> None:
        super().__init__()
        if weight < 0 or noise < 0:
            raise ValueError(f"weight and noise are at least 0, got {weight} and {noise}")
        self.weight = weight
        self.noise = noise

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """Batch normalisation mixes the samples."""
        return batch_norm_refusal(discriminator)

    def discriminator_penalty(
        self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None
    ) -> dict[str, Tensor]:
        """`d_dragan`."""
        largest = self.noise * real.std(correction=0)
        near = real + one_per_sample(duel, real) * largest * torch.rand_like(real)
        slopes = score_slopes(duel, near, condition)
        return {"d_dragan": self.weight * (slopes - 1).square().mean()}
