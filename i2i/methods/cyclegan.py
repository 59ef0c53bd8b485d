"""CycleGAN: translation between two sets of pictures without pairs, both ways at once.

Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", arXiv 1703.10593,
section 3; the identity loss of section 5.2; least squares, the pool of 50 earlier pictures and the halved losses of the
critics (section 4, "training details") are choices of the preset, and of `discriminator_weight`.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.stabilisers.stabiliser import Player
from i2i.data.unpaired import UnpairedBatch
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l1
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks.layers.normalisation import has_batch_norm


class CycleGAN(Method):
    """Generators a -> b and b -> a, and a critic of either side's pictures. Both generators are shipped.

    Each step trains the generators, both together, and then the critics, each by itself, on the same translations, as
    the paper's code does. The generators minimise, for both directions, their adversarial losses (equation 1),
    `cycle_weight` * L1 between a picture and its round trip (equation 2; lambda = 10) and `cycle_weight` *
    `identity_weight` * L1 between a picture and what the generator that makes such pictures makes of it (section 5.2,
    for which both sides have as many planes). A weight of 0 leaves a loss out. Losses are named after the direction
    (`g_cycle_b2a`: b to a and back) or the side that is judged (`d_real_b`).

    The critics' losses are multiplied by `discriminator_weight`; the paper halves them.
    """

    batch_type: ClassVar[type[UnpairedBatch]] = UnpairedBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"a2b": ("source", "target"), "b2a": ("target", "source")}

    def __init__(
        self,
        parts: Parts,
        *,
        cycle_weight: float = 10.0,
        identity_weight: float = 0.5,
        discriminator_weight: float = 0.5,
    ) -> None:
        super().__init__()
        if cycle_weight < 0 or identity_weight < 0:
            raise ValueError(f"weights are not negative, got cycle {cycle_weight}, identity {identity_weight}")
        planes = parts.source_planes, parts.target_planes
        if identity_weight and planes[0] != planes[1]:
            message = f"the identity loss wants as many planes on both sides, these have {planes[0]} and {planes[1]}"
            raise ValueError(f"{message}; set method.identity_weight to 0")
        self.a2b = parts.generator(*planes)
        self.b2a = parts.generator(*reversed(planes))
        self.duel_a = parts.duel(parts.source_planes, generator=self.b2a)
        self.duel_b = parts.duel(parts.target_planes, generator=self.a2b)
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.discriminator_weight = discriminator_weight

    def players(self) -> dict[str, nn.Module]:
        """Both generators as one player, and the two critics as another."""
        return {
            "generator": nn.ModuleList((self.a2b, self.b2a)),
            "discriminator": nn.ModuleList((self.duel_a.discriminator, self.duel_b.discriminator)),
        }

    def generators(self) -> dict[str, nn.Module]:
        """Both translators."""
        return {"a2b": self.a2b, "b2a": self.b2a}

    def training_step(self, batch: UnpairedBatch, engine: Engine) -> dict[str, Tensor]:
        """Translate both ways and train the generators; then the critics."""
        a, b = batch
        logs: dict[str, Tensor] = {}

        if self.duel_a.generator_plays() and self.duel_b.generator_plays():
            with engine.turn("generator", stepped=lambda: self._stepped("generator")) as turn:
                # One direction after the other: its graph is gone before the next one is built.
                losses, fake_b = self._translation(a, b, there=self.a2b, back=self.b2a, duel=self.duel_b)
                logs |= _named("a2b", turn.minimise(losses))
                losses, fake_a = self._translation(b, a, there=self.b2a, back=self.a2b, duel=self.duel_a)
                logs |= _named("b2a", turn.minimise(losses))
        else:
            with engine.forward(), torch.no_grad():
                fake_b, fake_a = self.a2b(a), self.b2a(b)

        with engine.turn("discriminator", stepped=lambda: self._stepped("discriminator")) as turn:
            for side, duel, real, fake in (("a", self.duel_a, a, fake_a), ("b", self.duel_b, b, fake_b)):
                losses, indicators = duel.discriminator_losses(real, fake)
                minimised = turn.minimise({name: self.discriminator_weight * loss for name, loss in losses.items()})
                logs |= _named(side, indicators | minimised)
        return logs

    def _translation(
        self, start: Tensor, goal: Tensor, *, there: nn.Module, back: nn.Module, duel: Duel
    ) -> tuple[dict[str, Tensor], Tensor]:
        """What the generators minimise for one direction, and the translations of `start`, detached."""
        identity = bool(self.cycle_weight and self.identity_weight)
        fake, same = _both(there, start, goal) if identity else (there(start), goal)
        losses = duel.generator_losses(fake, real=goal)
        if self.cycle_weight:
            losses["g_cycle"] = self.cycle_weight * l1(at_least_float32(back(fake)), start)
        if identity:
            losses["g_identity"] = self.cycle_weight * self.identity_weight * l1(at_least_float32(same), goal)
        return losses, fake.detach()

    def _stepped(self, player: Player) -> None:
        for duel in (self.duel_a, self.duel_b):
            duel.stepped(player)


def _both(network: nn.Module, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """What the network makes of two batches: of both at once, which is faster, where no picture depends on another."""
    if has_batch_norm(network) or first.shape[1:] != second.shape[1:]:
        return network(first), network(second)
    made: Tensor = network(torch.cat((first, second)))
    return made[: len(first)], made[len(first) :]


def _named(word: str, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses of one direction or side, by names that differ from the other's."""
    return {f"{name}_{word}": loss for name, loss in losses.items()}
