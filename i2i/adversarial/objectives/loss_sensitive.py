"""The loss-sensitive game: a fake sample is to lose by a margin that grows with its distance from a real one.

Qi 2017, "Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities", arXiv 1701.06264. The learned loss
is L = -score. In the paper's letters the loss function minimises (LS-GAN, theta's objective S)

    E L(x) + lambda E max(0, Delta(x, G(z)) + L(x) - L(G(z)))

and the generator E L(G(z)) (T). The generalised GLS-GAN puts a cost C_nu(a) = max(a, nu a), nu <= 1, in place of
max(0, a), with the first term left out: nu = 0 is LS-GAN again and nu = 1 is Wasserstein GAN up to a constant.

Real sample i is paired with fake sample i. Deviation: Delta is a mean over pixels and channels, not a sum, so that its
weight does not depend on the picture's size. The paper assumes that L is Lipschitz: a stabiliser sees to that.
"""

from __future__ import annotations

import torch
from torch import Tensor

from i2i.adversarial.objectives.objective import Judged, Objective


class LossSensitive(Objective):
    """`margin_weight` is the margin for pictures that differ by 1 everywhere (the card's range is 2 wide).

    `real_weight` weighs L(x) by itself and `penalty_weight` the cost of a margin that is not kept, the paper's lambda,
    which it leaves open (10 is ours). `slope` is nu. LS-GAN: `slope` 0. GLS-GAN: `real_weight` 0, `penalty_weight` 1
    and any `slope` up to 1, where 1 gives Wasserstein GAN's losses.
    """

    def __init__(
        self,
        *,
        margin_weight: float = 1.0,
        real_weight: float = 1.0,
        penalty_weight: float = 10.0,
        slope: float = 0.0,
    ) -> None:
        super().__init__()
        if margin_weight < 0 or real_weight < 0:
            raise ValueError(f"weights are not negative, got margin_weight {margin_weight}, real_weight {real_weight}")
        if penalty_weight <= 0:
            raise ValueError(f"penalty_weight is above 0 (nothing else looks at fake samples), got {penalty_weight}")
        if slope > 1:
            raise ValueError(
                f"slope is at most 1 (the cost of a margin that is not kept is its shortfall), got {slope}"
            )
        self.margin_weight = margin_weight
        self.real_weight = real_weight
        self.penalty_weight = penalty_weight
        self.slope = slope

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """L(real), and the cost of margin + L(real) - L(fake) pair by pair."""
        excess = self._margins(real, fake) + _loss(real) - _loss(fake)
        cost = torch.maximum(excess, self.slope * excess)
        losses = {"d_real": self.real_weight * _loss(real).mean()} if self.real_weight else {}
        return losses | {"d_margin": self.penalty_weight * cost.mean()}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """L(fake)."""
        return _loss(fake).mean()

    def _margins(self, real: Judged, fake: Judged) -> Tensor:
        """One margin a sample (N,); pictures that the critic sees packed into one sample share their mean."""
        apart = (real.images - fake.images).abs().mean((1, 2, 3))
        return self.margin_weight * apart.view(real.score.shape[0], -1).mean(1)


def _loss(judged: Judged) -> Tensor:
    """L of each sample (N,): minus the mean of its scores."""
    return -judged.score.reshape(judged.score.shape[0], -1).mean(1)
