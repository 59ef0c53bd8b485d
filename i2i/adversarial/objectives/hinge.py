"""The hinge game: the discriminator stops pushing scores that are on the right side of a margin of 1.

Lim & Ye 2017, "Geometric GAN", arXiv 1705.02894, section 3; Miyato et al. 2018, "Spectral Normalization for Generative
Adversarial Networks", arXiv 1802.05957, equations 16 and 17 (which are maximised there: every sign is turned here).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu

from i2i.adversarial.objectives.objective import Judged, Objective


class Hinge(Objective):
    """Real scores are pushed up to 1, fake ones down to -1; the generator pushes its own up without an end."""

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """max(0, 1 - real) and max(0, 1 + fake)."""
        return {"d_real": relu(1 - real.score).mean(), "d_fake": relu(1 + fake.score).mean()}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """-fake."""
        return -fake.score.mean()
