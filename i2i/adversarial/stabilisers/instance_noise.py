"""Instance noise: the discriminator sees real and fake images under Gaussian noise of one strength, so they overlap.

Sonderby et al. 2017, "Amortised MAP Inference for Image Super-resolution", arXiv 1610.04490, where the noise fades out
during training; Arjovsky and Bottou 2017, "Towards Principled Methods for Training Generative Adversarial Networks",
arXiv 1701.04862, section 3, who find the same remedy. The default strength and the straight line in which it fades are
choices of this file.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from i2i.adversarial.stabilisers.decay import DecayingSigma
from i2i.adversarial.stabilisers.stabiliser import Stabiliser


class InstanceNoise(Stabiliser):
    """`sigma` is the noise's standard deviation in the units of the planes: 0.1 of -1..1 is 13 levels of 255.

    It falls to 0 over `decay_steps` steps of the discriminator; with 0 it stays. Every number of every image gets its
    own draw, in both players' turns; the condition stays as it is.
    """

    def __init__(self, *, sigma: float = 0.1, decay_steps: int = 0) -> None:
        super().__init__()
        self.noise = DecayingSigma(sigma=sigma, decay_steps=decay_steps)

    def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The image (N, C, H, W) with noise, the condition without."""
        sigma = self.noise.now()
        return (image + sigma * torch.randn_like(image) if sigma else image), condition

    def after_discriminator_step(self, discriminator: nn.Module) -> None:
        """The noise gets a little weaker."""
        self.noise.advance()
