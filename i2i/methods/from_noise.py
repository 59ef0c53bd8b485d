"""What methods that make pictures from noise have in common: everything but the training step."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.methods.method import Method, Side
from i2i.methods.parts import Parts
from i2i.networks.layers.beside import more_latent


class FromNoise(Method):
    """One generator, of `latent_channels` numbers from the standard normal distribution, and one discriminator.

    A generator that takes more numbers than it was told of (`more_latent`) gets them: `latent_channels` is then larger.
    `condition_numbers`: how many further numbers the generator is given behind the noise. `seen_planes`: the planes
    that the discriminator sees beside those of the picture.
    """

    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"sample": ("latent", "target")}

    def __init__(self, parts: Parts, *, latent_channels: int, condition_numbers: int = 0, seen_planes: int = 0) -> None:
        super().__init__()
        if latent_channels < 1:
            raise ValueError(f"latent_channels is 1 or more, got {latent_channels}")
        self.generator = parts.generator(latent_channels + condition_numbers, parts.target_planes)
        self.latent_channels = latent_channels + more_latent(self.generator)
        self.duel: Duel = parts.duel(parts.target_planes + seen_planes, generator=self.generator)

    def players(self) -> dict[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.duel.discriminator}

    def generators(self) -> dict[str, nn.Module]:
        """The one generator, noise to picture."""
        return {"sample": self.generator}

    def noise(self, real: Tensor) -> Tensor:
        """New noise (N, latent_channels) for a batch of N pictures, of their type."""
        return torch.randn(len(real), self.latent_channels, dtype=real.dtype, device=real.device)
