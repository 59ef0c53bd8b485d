"""Mode-regularised GAN: an encoder leads the generator to every mode of the data.

Che et al. 2017, "Mode Regularized Generative Adversarial Networks", arXiv 1612.02136, section 3.2: the geometric
metric regulariser d(x, G(E(x))) and the mode regulariser log D(G(E(x))).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.data.images import ImageBatch
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l2
from i2i.methods.from_noise import FromNoise
from i2i.methods.method import Engine
from i2i.methods.parts import Parts
from i2i.networks.layers.encoder import Encoder


class ModeRegularised(FromNoise):
    """Generator and encoder share a turn and the loss: adversarial on noise + `metric_weight` * mean squared distance
    of G(E(x)) to x + `mode_weight` * the adversarial loss of G(E(x)).

    lambda_1 = 0.2 and lambda_2 = 0.4 are the paper's for MNIST. The encoder is a critic's trunk with a code at its end.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch

    def __init__(
        self,
        parts: Parts,
        *,
        latent_channels: int = 100,
        metric_weight: float = 0.2,
        mode_weight: float = 0.4,
    ) -> None:
        super().__init__(parts, latent_channels=latent_channels)
        self.metric_weight = metric_weight
        self.mode_weight = mode_weight
        self.encoder = Encoder(parts.discriminator(parts.target_planes), latent_channels=self.latent_channels)

    def players(self) -> dict[str, nn.Module]:
        """Generator with encoder, and discriminator."""
        return {
            "generator": nn.ModuleList((self.generator, self.encoder)),
            "discriminator": self.duel.discriminator,
        }

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """Draw fakes, train the discriminator on them, then generator and encoder together."""
        real = batch.image
        generator_plays = self.duel.generator_plays()

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(self.noise(real))

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(real, fake)
            logs |= turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                again = self.generator(self.encoder(real))
                losses = self.duel.generator_losses(fake, real=real)
                losses["g_metric"] = self.metric_weight * l2(at_least_float32(again), real)
                losses["g_mode"] = self.mode_weight * self.duel.image_loss(again, real=real)
                logs |= turn.minimise(losses)
        return logs
