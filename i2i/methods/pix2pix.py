"""pix2pix: a conditional GAN on paired pictures.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", arXiv 1611.07004, section 3.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.data.paired import PairedBatch
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import gradient_difference, l1
from i2i.methods.method import Engine, Method
from i2i.methods.parts import Parts


class Pix2Pix(Method):
    """G* = arg min max L_cGAN(G, D) + l1_weight * L1(G) (equation 4).

    Each step trains the discriminator, then the generator (section 3.3), on one translation of the batch. The
    discriminator sees source and target side by side unless `conditional` is False (the paper's ablation "GAN"), and
    its losses are halved, which "slows down the rate at which D learns relative to G". With `adversarial_weight` 0 the
    discriminator takes no part (the ablation "L1").

    `gradient_weight` is that of the gradient difference loss (Mathieu et al. 2016, arXiv 1511.05440, who add it to a
    distance and an adversarial loss as well), for pictures with flat areas: a discriminator lets blotches pass there.

    Translating is deterministic: running statistics, dropout off. Previews, evaluation, torch and ONNX all do this.
    (The paper's pictures use batch statistics and dropout at test time; with them an output would depend on chance and
    on the other pictures of its batch.)
    """

    batch_type: ClassVar[type[PairedBatch]] = PairedBatch

    def __init__(
        self,
        parts: Parts,
        *,
        l1_weight: float = 100.0,
        adversarial_weight: float = 1.0,
        discriminator_weight: float = 0.5,
        conditional: bool = True,
        gradient_weight: float = 0.0,
    ) -> None:
        super().__init__()
        if l1_weight == 0 and gradient_weight == 0 and adversarial_weight == 0:
            raise ValueError("l1_weight, gradient_weight and adversarial_weight are all 0: nothing to learn from")
        seen = parts.target_planes + (parts.source_planes if conditional else 0)
        self.generator = parts.generator(parts.source_planes, parts.target_planes)
        self.duel = parts.duel(seen, generator=self.generator)
        self.l1_weight = l1_weight
        self.gradient_weight = gradient_weight
        self.adversarial_weight = adversarial_weight
        self.discriminator_weight = discriminator_weight
        self.conditional = conditional

    def players(self) -> dict[str, nn.Module]:
        """Generator and, unless it takes no part, discriminator."""
        players = {"generator": self.generator}
        return players | ({"discriminator": self.duel.discriminator} if self.adversarial_weight else {})

    def generators(self) -> dict[str, nn.Module]:
        """The one translator, source to target."""
        return {"a2b": self.generator}

    def training_step(self, batch: PairedBatch, engine: Engine) -> dict[str, Tensor]:
        """Translate, train the discriminator, then the generator."""
        source, target = batch
        condition = source if self.conditional else None
        # Without adversarial weight the discriminator has no turns that could be counted.
        generator_plays = not self.adversarial_weight or self.duel.generator_plays()
        logs: dict[str, Tensor] = {}

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(source)

        if self.adversarial_weight:
            with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
                losses, logs = self.duel.discriminator_losses(target, fake, condition=condition)
                logs |= turn.minimise({name: self.discriminator_weight * loss for name, loss in losses.items()})

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                losses = self._distances(at_least_float32(fake), target)
                if self.adversarial_weight:
                    adversarial = self.duel.generator_losses(fake, real=target, condition=condition)
                    losses |= {name: self.adversarial_weight * loss for name, loss in adversarial.items()}
                logs |= turn.minimise(losses)
        return logs

    def _distances(self, fake: Tensor, target: Tensor) -> dict[str, Tensor]:
        losses = {"g_l1": self.l1_weight * l1(fake, target)} if self.l1_weight else {}
        if self.gradient_weight:
            losses["g_gradient"] = self.gradient_weight * gradient_difference(fake, target)
        return losses
