"""Weight clipping: after every step of the critic its weights are cut to a small box.

Arjovsky et al. 2017, "Wasserstein GAN", arXiv 1701.07875, algorithm 1 (line 7): the box keeps the critic Lipschitz.
"""

from __future__ import annotations

import torch
from torch import nn

from i2i.adversarial.stabilisers.stabiliser import Stabiliser


class WeightClipping(Stabiliser):
    """All parameters that the critic learns, biases and scales too, lie in -`bound`..`bound` after its steps.

    Beside spectral or weight normalisation those are not the weights the critic computes with; use one of them.
    """

    def __init__(self, *, bound: float = 0.01) -> None:
        super().__init__()
        if bound <= 0:
            raise ValueError(f"bound is above 0, got {bound}")
        self.bound = bound

    @torch.no_grad()
    def after_discriminator_step(self, discriminator: nn.Module) -> None:
        """Cut the weights, in place."""
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.bound, self.bound)
