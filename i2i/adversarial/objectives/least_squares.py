"""The least-squares game: scores are pulled to 1 for real and 0 for fake.

Mao et al. 2017, "Least Squares Generative Adversarial Networks", arXiv 1611.04076, equation 9 (a = 0, b = c = 1).
Deviation: without the factor 1/2 of the paper, as CycleGAN writes it; methods weigh the discriminator themselves.
"""

from __future__ import annotations

from torch import Tensor

from i2i.adversarial.objectives.objective import Judged, Objective


class LeastSquares(Objective):
    """Mean squared distance of the scores to their labels."""

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """(real - 1)^2 and fake^2."""
        return {"d_real": (real.score - 1).square().mean(), "d_fake": fake.score.square().mean()}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """(fake - 1)^2."""
        return (fake.score - 1).square().mean()
