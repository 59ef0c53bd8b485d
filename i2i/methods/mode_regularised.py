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
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks.layers.encoder import Encoder


class ModeRegularised(Method):
    """Generator and encoder share a turn and the loss: adversarial on noise + `metric_weight` * mean squared distance
    of G(E(x)) to x + `mode_weight` * the adversarial loss of G(E(x)).

    lambda_1 = 0.2 and lambda_2 = 0.4 are the paper's for MNIST. The encoder is a critic's trunk with a code at its end.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"sample": ("latent", "target")}

    def __init__(
        self,
        parts: Parts,
        *,
        latent_channels: int = 100,
        metric_weight: float = 0.2,
        mode_weight: float = 0.4,
    ) -> None:
        super().__init__()
        self.latent_channels = latent_channels
        self.metric_weight = metric_weight
        self.mode_weight = mode_weight
        self.generator = parts.generator(latent_channels, parts.target_planes)
        self.encoder = Encoder(parts.discriminator(parts.target_planes), latent_channels=latent_channels)
        self.duel = parts.duel(parts.target_planes, generator=self.generator)

    def players(self) -> dict[str, nn.Module]:
        """Generator with encoder, and discriminator."""
        return {
            "generator": nn.ModuleList((self.generator, self.encoder)),
            "discriminator": self.duel.discriminator,
        }

    def generators(self) -> dict[str, nn.Module]:
        """The one generator, noise to picture."""
        return {"sample": self.generator}

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """Draw fakes, train the discriminator on them, then generator and encoder together."""
        real = batch.image
        generator_plays = self.duel.generator_plays()
        latent = torch.randn(len(real), self.latent_channels, dtype=real.dtype, device=real.device)

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(latent)

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
