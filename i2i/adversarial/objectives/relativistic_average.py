"""The relativistic average game: is this real sample more real than fake ones are on average?

Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard GAN", arXiv 1807.00734,
the losses of RaSGAN (algorithm 2 with the standard GAN's f). The averages stand for expectations: they are taken over
all scores of the batch, patches included.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from i2i.adversarial.objectives.objective import Judged, Objective


class RelativisticAverage(Objective):
    """Binary cross-entropy on scores minus the other side's mean score. Where all scores are equal, a term is log 2.

    The generator's loss is the discriminator's with the sides exchanged: real samples also have to look less real.
    """

    sees_real: ClassVar[bool] = True

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """-log sigmoid(real - mean fake) and -log(1 - sigmoid(fake - mean real))."""
        return {"d_real": _above(real.score, fake.score), "d_fake": _above(-fake.score, -real.score)}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """-log sigmoid(fake - mean real) - log(1 - sigmoid(real - mean fake))."""
        assert real is not None
        return _above(fake.score, real.score) + _above(-real.score, -fake.score)


def _above(scores: Tensor, others: Tensor) -> Tensor:
    """How far scores are from being above the mean of the others: -log sigmoid of the difference."""
    return softplus(others.mean() - scores).mean()
