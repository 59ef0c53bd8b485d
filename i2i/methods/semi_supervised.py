"""Semi-supervised learning with a GAN: a classifier learns from few labels and many pictures without.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 5: the critic tells the classes
of real pictures apart and all of them from generated ones (`networks/layers/class_scores.py`). Its loss is the cross
entropy of the labelled pictures plus that of "real or generated", which is the non-saturating objective on its score;
any other objective may take its place. The paper's generator matches features (stabiliser `feature_matching`).

Deviations: real pictures count as unlabelled ones too, and come with the labelled ones in one batch, where the paper
draws two (`data.labelled_share` says how many of a batch have a label). The authors' code halves the unsupervised loss;
`supervised_weight: 2` does the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from i2i.adversarial.objectives.objective import Judged
from i2i.data.conditioned import ConditionedBatch
from i2i.errors import I2IError
from i2i.losses.classification import known_cross_entropy
from i2i.methods.from_noise import FromNoise
from i2i.methods.method import Engine
from i2i.methods.parts import Parts
from i2i.networks.layers.class_scores import ClassScores
from i2i.weights.wrapper import evaluating


class SemiSupervised(FromNoise):
    """A GAN whose discriminator is a classifier of the data's domains, -1 where a picture's is not known.

    The generator is told nothing: it makes pictures of all classes from `latent_channels` numbers of noise.
    `supervised_weight` multiplies the cross entropy of the labelled pictures. Raises ValueError for data without
    domains, and for a stabiliser that shows the critic several pictures in one.
    """

    batch_type: ClassVar[type[ConditionedBatch]] = ConditionedBatch

    def __init__(self, parts: Parts, *, latent_channels: int = 100, supervised_weight: float = 1.0) -> None:
        classes = parts.condition_numbers
        if classes == 0:
            raise ValueError("a semi-supervised GAN needs data with domains")
        if supervised_weight < 0:
            raise ValueError(f"supervised_weight is at least 0, got {supervised_weight}")
        knowing = replace(parts, discriminator=lambda planes: ClassScores(parts.discriminator(planes), classes=classes))
        super().__init__(knowing, latent_channels=latent_channels)
        if any(stabiliser.packed > 1 for stabiliser in self.duel.stabilisers):
            raise ValueError("each picture has a class of its own; leave out the stabiliser packing")
        self.supervised_weight = supervised_weight

    def training_step(self, batch: ConditionedBatch, engine: Engine) -> dict[str, Tensor]:
        """Draw fakes, train the discriminator on them and on labels, then the generator."""
        real, labels = batch
        if labels.is_floating_point():
            message = (
                "semi_supervised learns from one domain a picture, these data have attributes; take data.type domains"
            )
            raise I2IError("E_RECIPE", message)
        generator_plays = self.duel.generator_plays()

        def supervised(real: Judged, fake: Judged) -> dict[str, Tensor]:
            assert real.output.classes is not None  # the layer gives them
            return {"d_class": self.supervised_weight * known_cross_entropy(real.output.classes, labels)}

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(self.noise(real))

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(real, fake, further=supervised)
            logs |= turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                logs |= turn.minimise(self.duel.generator_losses(fake, real=real))
        return logs

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """The logits (N, K) of the classes of pictures (N, C, H, W), without the noise of a training."""
        with evaluating(self.duel.discriminator):
            logits: Tensor = self.duel.discriminator(images).classes
        return logits
