"""The non-saturating game: the generator maximises log D(G(z)) instead of minimising log(1 - D(G(z))).

Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661, equation 1 and the end of section 3.
Labels: `objectives/labels.py`.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from i2i.adversarial.objectives.minimax import Minimax
from i2i.adversarial.objectives.objective import Judged


class NonSaturating(Minimax):
    """The minimax game's discriminator with another generator. At a score of 0 every term is log 2.

    `real_label`, `fake_label` (0..1) and `flip_probability` are the discriminator's labels; the generator's is 1.
    """

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """-log D(fake)."""
        return softplus(-fake.score).mean()
