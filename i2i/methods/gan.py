"""The generative adversarial network: pictures from noise.

Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661, algorithm 1.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.data.images import ImageBatch
from i2i.methods.from_noise import FromNoise
from i2i.methods.method import Engine
from i2i.methods.parts import Parts


class Gan(FromNoise):
    """A generator of pictures from standard normal noise of `latent_channels` numbers, and its discriminator.

    Each step trains the discriminator, then the generator on the same fakes (the paper draws new noise for the
    generator, which costs another pass and changes nothing in expectation).
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch

    def __init__(self, parts: Parts, *, latent_channels: int = 100) -> None:
        super().__init__(parts, latent_channels=latent_channels)

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """Draw fakes, train the discriminator, then the generator."""
        real = batch.image
        generator_plays = self.duel.generator_plays()

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(self.noise(real))

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(real, fake)
            logs |= turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                logs |= turn.minimise(self.duel.generator_losses(fake, real=real))
        return logs
