"""Manifold-diffusion GAN: first learn where the data lie, then how they are spread there.

Che et al. 2017, "Mode Regularized Generative Adversarial Networks", arXiv 1612.02136, section 3.3 and figure 2.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.data.images import ImageBatch
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l2
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks.layers.beside import more_latent
from i2i.networks.layers.encoder import Encoder


class MDGAN(Method):
    """Two games in every step. Manifold: the first discriminator tells x from G(E(x)); generator and encoder minimise
    the mean squared distance of G(E(x)) to x + `adversarial_weight` (the paper's lambda) * their adversarial loss.
    Diffusion: the second discriminator tells G(E(x)) from G(z), and the generator brings its samples to the manifold;
    what it calls real are the reconstructions. One step of each in turn, as in figure 2.

    Deviation: the distance is a mean over the values of a picture, not their sum, so that lambda means the same at
    every size.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"sample": ("latent", "target")}

    def __init__(self, parts: Parts, *, latent_channels: int = 100, adversarial_weight: float = 0.01) -> None:
        super().__init__()
        self.adversarial_weight = adversarial_weight
        self.generator = parts.generator(latent_channels, parts.target_planes)
        self.latent_channels = latent_channels + more_latent(self.generator)
        self.encoder = Encoder(parts.discriminator(parts.target_planes), latent_channels=self.latent_channels)
        self.manifold = parts.duel(parts.target_planes, generator=self.generator)
        self.diffusion = parts.duel(parts.target_planes, generator=self.generator)

    def players(self) -> dict[str, nn.Module]:
        """Generator with encoder, and both discriminators."""
        return {
            "generator": nn.ModuleList((self.generator, self.encoder)),
            "manifold": self.manifold.discriminator,
            "diffusion": self.diffusion.discriminator,
        }

    def generators(self) -> dict[str, nn.Module]:
        """The one generator, noise to picture."""
        return {"sample": self.generator}

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """The manifold game, then the diffusion game."""
        real = batch.image
        generator_plays = self.manifold.generator_plays() and self.diffusion.generator_plays()
        logs: dict[str, Tensor] = {}

        with engine.forward():
            again = self.generator(self.encoder(real))

        with engine.turn("manifold", stepped=lambda: self.manifold.stepped("discriminator")) as turn:
            losses, indicators = self.manifold.discriminator_losses(real, again)
            logs |= _named("manifold", indicators | turn.minimise(losses))

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.manifold.stepped("generator")) as turn:
                adversarial = self.manifold.generator_losses(again, real=real)
                losses = {name: self.adversarial_weight * loss for name, loss in adversarial.items()}
                losses["g_metric"] = l2(at_least_float32(again), real)
                logs |= _named("manifold", turn.minimise(losses))

        with engine.forward(), torch.no_grad():
            again = self.generator(self.encoder(real))
        with engine.forward():
            latent = torch.randn(len(real), self.latent_channels, dtype=real.dtype, device=real.device)
            fake = self.generator(latent)

        with engine.turn("diffusion", stepped=lambda: self.diffusion.stepped("discriminator")) as turn:
            losses, indicators = self.diffusion.discriminator_losses(again, fake)
            logs |= _named("diffusion", indicators | turn.minimise(losses))

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.diffusion.stepped("generator")) as turn:
                logs |= _named("diffusion", turn.minimise(self.diffusion.generator_losses(fake, real=again)))
        return logs


def _named(game: str, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses of one of the two games, by names that differ from the other's."""
    return {f"{name}_{game}": loss for name, loss in losses.items()}
