"""An encoder made of a critic: its trunk with a code at the end instead of a score.

Che et al. 2017, "Mode Regularized Generative Adversarial Networks", arXiv 1612.02136, section 3.1.
"""

from __future__ import annotations

from torch import Tensor, nn


class Encoder(nn.Module):
    """Pictures (N, C, H, W) to codes (N, latent_channels), from the features of a `critic` of the same architecture."""

    def __init__(self, critic: nn.Module, *, latent_channels: int) -> None:
        super().__init__()
        last = getattr(critic, "score", None)
        if not isinstance(last, nn.Conv2d | nn.Linear):
            raise ValueError(f"an encoder needs a critic that ends in a convolution or a linear layer, got {last!r}")
        critic.score = nn.Identity()
        self.trunk = critic
        self.code = nn.Linear(last.weight.shape[1], latent_channels)

    def forward(self, images: Tensor) -> Tensor:
        """The codes of pictures: the last features, averaged over the picture, and one linear layer."""
        features: Tensor = self.trunk(images).features[-1]
        code: Tensor = self.code(features.flatten(2).mean(2) if features.ndim == 4 else features)
        return code
