"""The minimax game, saturating: the generator minimises what the discriminator maximises.

Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661, equation 1. The end of section 3 says why one
rarely plays it: when the discriminator is sure of itself, log(1 - D(G(z))) is flat and the generator learns nothing.
Labels: `objectives/labels.py`.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from i2i.adversarial.objectives.labels import Labelled
from i2i.adversarial.objectives.objective import Judged


class Minimax(Labelled):
    """Binary cross-entropy on logits; at a score of 0 and labels of 1 and 0 the discriminator's terms are log 2.

    `real_label`, `fake_label` (0..1) and `flip_probability` are the discriminator's labels; the generator has none.
    """

    label_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def distance(self, score: Tensor, label: Tensor | float) -> Tensor:
        """-t log D - (1 - t) log(1 - D) for the label t; with D = sigmoid(s) this is softplus(s) - t s."""
        # As a sum of two terms it loses no digits where softplus(s) and t s are large and nearly equal.
        return label * softplus(-score) + (1 - label) * softplus(score)

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """log(1 - D(fake))."""
        return -softplus(fake.score).mean()
