"""InfoGAN: some of the numbers that a picture is made from can be read off it again, and come to mean something.

Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial
Nets", arXiv 1606.03657, equations 5 and 6: minimise over G and Q, maximise over D: V(D, G) - lambda * L(G, Q), where L
is a lower bound of the information between codes and pictures (`losses/information.py`). Q is a head on the critic's
features (`networks/layers/code_reader.py`).

Who steps what: Q belongs to the discriminator's player, so that the shared layers have one optimiser. The bound is part
of both players' losses: in its turn the discriminator learns, with Q, to read the codes of the fakes at hand; in the
generator's turn its gradient reaches the generator alone. The authors' code does the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from i2i.adversarial.objectives.objective import Judged
from i2i.adversarial.stabilisers.history_pool import HistoryPool
from i2i.data.images import ImageBatch
from i2i.images.card import Condition
from i2i.losses.information import entropy, gaussian_surprise
from i2i.losses.precision import at_least_float32
from i2i.methods.from_noise import FromNoise
from i2i.methods.method import Engine
from i2i.methods.parts import Parts
from i2i.networks.layers.code_reader import CodeReader
from i2i.networks.layers.critic_output import CriticOutput
from i2i.weights.wrapper import evaluating

# Without a least deviation the surprise of a code that is read without error would have no lower bound.
LEAST_DEVIATION = 0.05


class InfoGAN(FromNoise):
    """Noise of `latent_channels` numbers, one of `categories`, and `continuous` numbers uniform in -1..1.

    `category_weight` and `continuous_weight` multiply the cross entropy of the category and the surprise of the numbers
    (the paper: 1, and less for continuous codes). 0 categories or continuous codes: none. Q gives the category's
    logits, then mean and logarithm of the deviation of each number. The log's `mutual_information` is the bound, in
    nats. Raises ValueError for no codes at all, and for stabilisers that show the critic other pictures than those
    whose codes are known.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch

    def __init__(
        self,
        parts: Parts,
        *,
        latent_channels: int = 62,
        categories: int = 10,
        continuous: int = 2,
        category_weight: float = 1.0,
        continuous_weight: float = 0.1,
    ) -> None:
        _check(categories, continuous)
        readers = []

        def critic(planes: int) -> nn.Module:
            network = parts.discriminator(planes)
            readers.append(CodeReader(network, outputs=categories + 2 * continuous))
            return network

        super().__init__(
            replace(parts, discriminator=critic),
            latent_channels=latent_channels,
            condition_numbers=categories + continuous,
        )
        if any(part.packed > 1 or isinstance(part, HistoryPool) for part in self.duel.stabilisers):
            raise ValueError("codes are read from the pictures just made, one by one; leave out packing, history_pool")
        self.categories = categories
        self.continuous = continuous
        self.category_weight = category_weight
        self.continuous_weight = continuous_weight
        (self.reader,) = readers

    def condition(self, data: Condition | None) -> Condition:
        """The codes, whatever the data are labelled with: the categories exclude each other."""
        categories = tuple(f"category_{number}" for number in range(self.categories))
        return Condition(
            kind="attributes",
            names=(*categories, *(f"code_{number}" for number in range(self.continuous))),
            exclusive_groups=(categories,) if categories else (),
            ranges=(*[(0.0, 1.0)] * self.categories, *[(-1.0, 1.0)] * self.continuous),
        )

    def players(self) -> dict[str, nn.Module]:
        """Generator, and discriminator with Q."""
        return {
            "generator": self.generator,
            "discriminator": nn.ModuleList((self.duel.discriminator, self.reader)),
        }

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """Draw codes and fakes, train discriminator and Q, then the generator."""
        real = batch.image
        codes = self.codes(real)
        generator_plays = self.duel.generator_plays()
        surprise: dict[str, Tensor] = {}

        def judged(real: Judged, fake: Judged) -> dict[str, Tensor]:
            surprise.update(self.surprise(fake.output, codes))
            return self._weighted(surprise, player="d")

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(self.noise(real), codes)

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(real, fake, further=judged)
            logs |= turn.minimise(losses)
        unread = torch.stack(tuple(surprise.values())).sum().detach()
        logs["mutual_information"] = entropy(categories=self.categories, continuous=self.continuous) - unread

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                losses = self.duel.generator_losses(
                    fake,
                    real=real,
                    further=lambda fake: self._weighted(self.surprise(fake.output, codes), player="g"),
                )
                logs |= turn.minimise(losses)
        return logs

    def codes(self, real: Tensor) -> Tensor:
        """New codes (N, categories + continuous) for a batch of N pictures: a one-hot category, then the numbers."""
        numbers = 2 * torch.rand(len(real), self.continuous, dtype=real.dtype, device=real.device) - 1
        if not self.categories:
            return numbers
        drawn = torch.randint(self.categories, (len(real),), device=real.device)
        return torch.cat((one_hot(drawn, self.categories).to(real.dtype), numbers), 1)

    def surprise(self, output: CriticOutput, codes: Tensor) -> dict[str, Tensor]:
        """-log Q of the codes, given what the critic says of their pictures: by kind of code, in nats."""
        logits, mean, deviation = self._read(output)
        found = {}
        if self.categories:
            found["category"] = cross_entropy(logits, codes[:, : self.categories].argmax(1))
        if self.continuous:
            found["code"] = gaussian_surprise(codes[:, self.categories :], mean, deviation)
        return found

    @torch.no_grad()
    def read(self, images: Tensor) -> Tensor:
        """What Q expects the codes of pictures (N, C, H, W) to be, real ones too, as the generator takes them."""
        with evaluating(self.duel.discriminator), evaluating(self.reader):
            logits, mean, _ = self._read(self.duel.discriminator(images))
        return torch.cat((logits.softmax(1), mean), 1)

    def _read(self, output: CriticOutput) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, categories), means and deviations (N, continuous)."""
        read = at_least_float32(self.reader(output.features[-1]))
        logits, mean, spread = torch.split(read, [self.categories, self.continuous, self.continuous], 1)
        return logits, mean, LEAST_DEVIATION + spread.exp()

    def _weighted(self, surprise: dict[str, Tensor], *, player: str) -> dict[str, Tensor]:
        weights = {"category": self.category_weight, "code": self.continuous_weight}
        return {f"{player}_{kind}": weights[kind] * value for kind, value in surprise.items()}


def _check(categories: int, continuous: int) -> None:
    """Raise ValueError for codes that tell nothing."""
    if categories < 0 or categories == 1 or continuous < 0 or categories + continuous == 0:
        raise ValueError(
            f"codes are 2 or more categories (or 0) and continuous ones, got {categories} and {continuous}"
        )
