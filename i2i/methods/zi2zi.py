"""zi2zi: one network that writes the characters of one font in many others.

Tian 2017, "zi2zi: Master Chinese Calligraphy with Conditional Adversarial Networks" (an article and the code
github.com/kaonashi-tyc/zi2zi, `model/unet.py`; there is no paper). It joins pix2pix (Isola et al. 2017, arXiv
1611.07004), the category loss of AC-GAN (Odena et al. 2016, arXiv 1610.09585) and the constancy loss of DTN (Taigman et
al. 2016, arXiv 1611.02200).

Deviations: with shuffled labels the discriminator takes the mean over both kinds of fakes, where the code adds their
losses; total variation is a mean; the fakes that the encoder reads again do not enter its running statistics, which the
finished translator uses on source glyphs alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.objective import Judged
from i2i.data.glyphs import StyledBatch
from i2i.images.card import Condition
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l1, l2
from i2i.losses.variation import total_variation
from i2i.methods.method import Engine, Method
from i2i.methods.parts import Parts
from i2i.networks.zi2zi import Zi2ZiGenerator


class Asked(NamedTuple):
    """What is translated in a step: pictures, their answers where there are any, and the styles asked for, int64."""

    source: Tensor
    target: Tensor
    styles: Tensor
    answered: int  # so many from the first on have an answer; the others were asked for a style at random


class Zi2Zi(Method):
    """A generator G(source, style), and a critic that sees source and picture side by side and tells styles apart.

    Each step trains the critic and then the generator `generator_turns` times on the same batch (the code's second
    update keeps the critic's loss from going to zero). The generator minimises `adversarial_weight` * its adversarial
    loss, `l1_weight` * L1 to the target, `constancy_weight` * the squared distance between the character codes of the
    source and of what was made of it, `category_weight` * the cross entropy of the style that the critic sees in it,
    and `variation_weight` * total variation; the critic its adversarial losses and `category_weight` * the mean of that
    cross entropy over real and made pictures. A weight of 0 leaves a loss out; where the generator is to please the
    critic in nothing (`adversarial_weight` and `category_weight` 0) the critic takes no part.

    `shuffled_labels`: every glyph is also translated to the style of another one of the batch, for which there is no
    answer; all losses but L1 see these as well (the code's "no target" pictures). `frozen_encoder`: only style and
    decoder learn, as in the code's fine-tuning. Raises ValueError for data without styles, another generator, weights
    below 0 or all 0, and a stabiliser that shows the critic several pictures in one.
    """

    batch_type: ClassVar[type[StyledBatch]] = StyledBatch

    def __init__(
        self,
        parts: Parts,
        *,
        adversarial_weight: float = 1.0,
        l1_weight: float = 100.0,
        constancy_weight: float = 15.0,
        category_weight: float = 1.0,
        variation_weight: float = 0.0,
        generator_turns: int = 2,
        shuffled_labels: bool = False,
        frozen_encoder: bool = False,
    ) -> None:
        super().__init__()
        weights = (adversarial_weight, l1_weight, constancy_weight, category_weight, variation_weight)
        if min(weights) < 0 or generator_turns < 1:
            raise ValueError("weights are not negative, and generator_turns is 1 or more")
        if max(weights) == 0:
            raise ValueError("all weights are 0: nothing to learn from")
        styles = parts.condition_numbers
        if styles == 0:
            raise ValueError("zi2zi needs data with fonts to tell apart")
        generator = parts.generator(parts.source_planes, parts.target_planes, condition_channels=styles)
        if not isinstance(generator, Zi2ZiGenerator):
            raise ValueError("it needs the generator zi2zi, whose character code it looks at")
        self.generator = generator
        knowing = replace(parts, discriminator=partial(parts.discriminator, condition_channels=styles))
        self.duel: Duel = knowing.duel(parts.source_planes + parts.target_planes, generator=generator)
        if any(stabiliser.packed > 1 for stabiliser in self.duel.stabilisers):
            raise ValueError("each picture has a style of its own; leave out the stabiliser packing")
        self.adversarial_weight = adversarial_weight
        self.l1_weight = l1_weight
        self.constancy_weight = constancy_weight
        self.category_weight = category_weight
        self.variation_weight = variation_weight
        self.generator_turns = generator_turns
        self.shuffled_labels = shuffled_labels
        self.frozen_encoder = frozen_encoder
        self.generator.encoder.requires_grad_(not frozen_encoder)

    @property
    def judged(self) -> bool:
        """Whether the critic takes part."""
        return self.adversarial_weight > 0 or self.category_weight > 0

    def players(self) -> dict[str, nn.Module]:
        """Generator and, unless it takes no part, critic."""
        players = {"generator": self.generator}
        return players | ({"discriminator": self.duel.discriminator} if self.judged else {})

    def generators(self) -> dict[str, nn.Module]:
        """The one translator, source font to every style."""
        return {"a2b": self.generator}

    def condition(self, data: Condition | None) -> Condition | None:
        """The fonts of the data, which the generator can mix."""
        return None if data is None else data.model_copy(update={"mixed": True})

    def training_step(self, batch: StyledBatch, engine: Engine) -> dict[str, Tensor]:
        """Translate, train the critic, then the generator as often as asked."""
        asked = self._asked(batch)
        if self.frozen_encoder:
            self.generator.encoder.eval()  # its running statistics stay as well
        generator_plays = not self.judged or self.duel.generator_plays()  # a critic without turns counts none
        logs: dict[str, Tensor] = {}

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake, code = self._translated(asked)

        if self.judged:
            with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
                losses, logs = self.duel.discriminator_losses(
                    asked.target, fake, condition=asked.source, further=partial(self._told_apart, asked)
                )
                logs |= turn.minimise(losses)

        for number in range(self.generator_turns if generator_plays else 0):
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                if number:
                    fake, code = self._translated(asked)
                logs |= turn.minimise(self._generator_losses(asked, fake, code))
        return logs

    def _asked(self, batch: StyledBatch) -> Asked:
        source, target, styles = batch
        if not self.shuffled_labels:
            return Asked(source, target, styles, len(source))
        others = styles[torch.randperm(len(styles), device=styles.device)]
        return Asked(torch.cat((source, source)), torch.cat((target, target)), torch.cat((styles, others)), len(source))

    def _translated(self, asked: Asked) -> tuple[Tensor, Tensor]:
        """The pictures made, and the character codes of their sources."""
        seen = self.generator.encode(asked.source)
        return self.generator.decode(seen, asked.styles), seen[-1]

    def _told_apart(self, asked: Asked, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """The critic's category loss on real pictures and on every kind of fakes."""
        if not self.category_weight:
            return {}
        of_target = asked.styles[: asked.answered]
        losses = [cross_entropy(_logits(real)[: asked.answered], of_target)]
        made, wanted = (torch.split(of_fakes, asked.answered) for of_fakes in (_logits(fake), asked.styles))
        losses += [cross_entropy(*each) for each in zip(made, wanted, strict=True)]
        return {"d_category": self.category_weight * torch.stack(losses).mean()}

    def _generator_losses(self, asked: Asked, fake: Tensor, code: Tensor) -> dict[str, Tensor]:
        losses = self._critics_losses(asked, fake) if self.judged else {}
        if self.l1_weight:
            answered = slice(asked.answered)
            losses["g_l1"] = self.l1_weight * l1(at_least_float32(fake[answered]), asked.target[answered])
        if self.constancy_weight:
            with _statistics_kept(self.generator.encoder):
                again = self.generator.encode(fake)[-1]
            losses["g_constancy"] = self.constancy_weight * l2(at_least_float32(again), at_least_float32(code))
        if self.variation_weight:
            losses["g_variation"] = self.variation_weight * total_variation(at_least_float32(fake))
        return losses

    def _critics_losses(self, asked: Asked, fake: Tensor) -> dict[str, Tensor]:
        """What the generator minimises to please the critic."""
        category: dict[str, Tensor] = {}

        def kept(judged: Judged) -> dict[str, Tensor]:
            if self.category_weight:
                category["g_category"] = self.category_weight * cross_entropy(_logits(judged), asked.styles)
            return {}

        adversarial = self.duel.generator_losses(fake, real=asked.target, condition=asked.source, further=kept)
        weight = self.adversarial_weight
        return category | ({name: weight * loss for name, loss in adversarial.items()} if weight else {})


def _logits(judged: Judged) -> Tensor:
    assert judged.output.classes is not None  # the critic was made with the styles
    return at_least_float32(judged.output.classes)


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """Inside the block pictures pass without entering the running statistics of batch norms."""
    norms: list[Any] = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
