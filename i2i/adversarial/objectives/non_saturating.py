"""The non-saturating game: the generator maximises log D(G(z)) instead of minimising log(1 - D(G(z))).

Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661, equation 1 and the end of section 3.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from i2i.adversarial.objectives.objective import Judged, Objective


class NonSaturating(Objective):
    """Binary cross-entropy on logits: -log sigmoid(s) = softplus(-s). At a score of 0 every term is log 2."""

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """-log D(real) and -log(1 - D(fake))."""
        return {"d_real": softplus(-real.score).mean(), "d_fake": softplus(fake.score).mean()}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """-log D(fake)."""
        return softplus(-fake.score).mean()
