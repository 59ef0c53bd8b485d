"""The Wasserstein game: the critic estimates the distance between real and fake, the generator shortens it.

Arjovsky et al. 2017, "Wasserstein GAN", arXiv 1701.07875, equations 2 and 3 and algorithm 1. The critic must be
Lipschitz for this to mean anything: a stabiliser sees to that (the paper clips weights), this file does not.
"""

from __future__ import annotations

from torch import Tensor

from i2i.adversarial.objectives.objective import Judged, Objective


class Wasserstein(Objective):
    """Plain means of the scores. The indicator `wasserstein` is the estimate that figure 3 of the paper plots."""

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """-f(real) and f(fake)."""
        return {"d_real": -real.score.mean(), "d_fake": fake.score.mean()}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """-f(fake)."""
        return -fake.score.mean()

    def indicators(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """The estimated distance, up to the critic's Lipschitz constant: f(real) - f(fake)."""
        return {"wasserstein": (real.score.mean() - fake.score.mean()).detach()}
