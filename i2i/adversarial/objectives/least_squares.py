"""The least-squares game: scores are pulled to 1 for real and 0 for fake.

Mao et al. 2017, "Least Squares Generative Adversarial Networks", arXiv 1611.04076, equation 2 with the labels of
equation 9 (a = 0, b = c = 1). The generator's label c is always b, the one that real samples have for the
discriminator, as in equation 9; the other choice of the paper (a = -1, b = 1, c = 0) is not offered.
Deviation: without the factor 1/2 of the paper, as CycleGAN writes it; methods weigh the discriminator themselves.
Smoothing and swapping: `objectives/labels.py`.
"""

from __future__ import annotations

from torch import Tensor

from i2i.adversarial.objectives.labels import Labelled
from i2i.adversarial.objectives.objective import Judged


class LeastSquares(Labelled):
    """Mean squared distance of the scores to their labels.

    `real_label` (the paper's b) and `fake_label` (a) are any two numbers, the real one higher; `flip_probability` swaps
    them for a sample in the discriminator's losses. The generator pulls its samples to `real_label`.
    """

    def distance(self, score: Tensor, label: Tensor | float) -> Tensor:
        """(s - t)^2 for the label t."""
        return (score - label).square()

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """(fake - c)^2, c = b."""
        return self.distance(fake.score, self.real_label).mean()
