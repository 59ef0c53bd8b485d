"""StarGAN: one generator that translates between many domains, or changes attributes.

Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation", arXiv
1711.09020, section 3.1, equations 1 to 6. The game of section 3.3 (Wasserstein with a gradient penalty, five steps of
the critic to one of the generator) is a choice of the preset.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.objective import Judged
from i2i.data.conditioned import ConditionedBatch
from i2i.errors import I2IError
from i2i.images.card import Condition
from i2i.losses.classification import known_binary_cross_entropy, known_cross_entropy
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l1
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts


class StarGAN(Method):
    """A generator G(x, c), and a critic that scores pictures and tells their domains or attributes.

    Each step trains the critic and then, if it has a turn, the generator, on the same translations, which were asked
    for the conditions of the batch in another order (section 4.3). The critic minimises its adversarial losses and
    `classification_weight` * the classification of the real pictures (equations 2 and 5; lambda = 1), the generator its
    adversarial loss, `classification_weight` * that of its translations (equations 3 and 6) and `reconstruction_weight`
    * L1 between a picture and its way there and back (equation 4; lambda = 10). A weight of 0 leaves a loss out.

    Domains exclude each other (cross entropy of a softmax); attributes are a yes or no each (of sigmoids, summed over
    the attributes). Raises ValueError for data without either, for attributes that are more than a yes or no, and for a
    stabiliser that shows the critic several pictures in one.
    """

    batch_type: ClassVar[type[ConditionedBatch]] = ConditionedBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"a2b": ("target", "target")}

    def __init__(
        self, parts: Parts, *, classification_weight: float = 1.0, reconstruction_weight: float = 10.0
    ) -> None:
        super().__init__()
        if classification_weight < 0 or reconstruction_weight < 0:
            came = f"classification {classification_weight}, reconstruction {reconstruction_weight}"
            raise ValueError(f"weights are not negative, got {came}")
        _check(parts.condition)
        planes, classes = parts.target_planes, parts.condition_numbers
        self.generator = parts.generator(planes, planes, condition_channels=classes)
        knowing = replace(parts, discriminator=partial(parts.discriminator, condition_channels=classes))
        self.duel: Duel = knowing.duel(planes, generator=self.generator)
        if any(stabiliser.packed > 1 for stabiliser in self.duel.stabilisers):
            raise ValueError("each picture has a condition of its own; leave out the stabiliser packing")
        self.classification_weight = classification_weight
        self.reconstruction_weight = reconstruction_weight

    def players(self) -> dict[str, nn.Module]:
        """Generator and critic."""
        return {"generator": self.generator, "discriminator": self.duel.discriminator}

    def generators(self) -> dict[str, nn.Module]:
        """The one translator."""
        return {"a2b": self.generator}

    def condition(self, data: Condition | None) -> Condition | None:
        """What the data are labelled with."""
        return data

    def training_step(self, batch: ConditionedBatch, engine: Engine) -> dict[str, Tensor]:
        """Translate, train the critic and then the generator."""
        real, present = batch
        wanted = present[torch.randperm(len(present), device=present.device)]
        generator_plays = self.duel.generator_plays()
        _check_known(present)

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(real, wanted)

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(
                real, fake, further=lambda real, fake: self._class_loss("d_class", real, present)
            )
            logs |= turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                losses = self.duel.generator_losses(
                    fake, real=real, further=lambda fake: self._class_loss("g_class", fake, wanted)
                )
                if self.reconstruction_weight:
                    again = at_least_float32(self.generator(fake, present))
                    losses["g_reconstruction"] = self.reconstruction_weight * l1(again, real)
                logs |= turn.minimise(losses)
        return logs

    def _class_loss(self, name: str, judged: Judged, labels: Tensor) -> dict[str, Tensor]:
        """How far the critic's word on pictures is from their labels, or from those they were asked for."""
        if not self.classification_weight:
            return {}
        assert judged.output.classes is not None  # the critic has the head
        loss = known_binary_cross_entropy if labels.is_floating_point() else known_cross_entropy
        return {name: self.classification_weight * loss(at_least_float32(judged.output.classes), labels)}


def _check(condition: Condition | None) -> None:
    """Raise ValueError for data that this method cannot learn from."""
    if condition is None:
        raise ValueError("StarGAN needs data with domains or attributes")
    more = [name for name, ends in zip(condition.names, condition.ranges, strict=False) if ends != (0.0, 1.0)]
    if more:
        message = f"is more than a yes or no: leave {', '.join(more)} out of data.attributes"
        raise ValueError(f"an attribute of StarGAN's {message}")


def _check_known(present: Tensor) -> None:
    """Raise `I2IError` (E_BAD_DATA) for a picture whose domain is not known: it would be asked for as any other."""
    if not present.is_floating_point() and bool((present < 0).any()):
        message = "stargan needs the domain of every picture; take out the folder unlabelled, data.labelled_per_domain"
        raise I2IError("E_BAD_DATA", f"{message} too")
