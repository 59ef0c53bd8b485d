"""The conditional generative adversarial network: pictures from noise, of the kind that is asked for.

Mirza and Osindero 2014, "Conditional Generative Adversarial Nets", arXiv 1411.1784, equation 2. Deviation: the paper's
networks map the condition through a layer of its own before it meets the rest; here it stands beside the noise, and as
planes beside the picture, so that every network and stabiliser of the tables can take part.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.data.conditioned import ConditionedBatch
from i2i.images.card import Condition
from i2i.methods.from_noise import FromNoise
from i2i.methods.method import Engine
from i2i.methods.parts import Parts
from i2i.networks.layers.beside import planes


class CGAN(FromNoise):
    """A generator from `latent_channels` numbers of noise and a condition: a domain, or a vector of attributes.

    Each step trains the discriminator, then the generator on the same fakes, which were asked for the conditions of
    the batch. Raises ValueError for data without a condition.
    """

    batch_type: ClassVar[type[ConditionedBatch]] = ConditionedBatch

    def __init__(self, parts: Parts, *, latent_channels: int = 100) -> None:
        self.condition_numbers = parts.condition_numbers
        if self.condition_numbers == 0:
            raise ValueError("a conditional GAN needs data with domains or attributes")
        if parts.label_sets:
            raise ValueError("a conditional GAN has to know all labels of a picture; of joint data stargan can learn")
        super().__init__(
            parts,
            latent_channels=latent_channels,
            condition_numbers=parts.condition_numbers,
            seen_planes=parts.condition_numbers,
        )

    def condition(self, data: Condition | None) -> Condition | None:
        """What the data are labelled with."""
        return data

    def training_step(self, batch: ConditionedBatch, engine: Engine) -> dict[str, Tensor]:
        """Draw fakes of the batch's conditions, train the discriminator, then the generator."""
        real = batch.image
        generator_plays = self.duel.generator_plays()
        asked = planes(batch.condition, self.condition_numbers, like=real)

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(self.noise(real), batch.condition)

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(real, fake, condition=asked)
            logs |= turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                logs |= turn.minimise(self.duel.generator_losses(fake, real=real, condition=asked))
        return logs
