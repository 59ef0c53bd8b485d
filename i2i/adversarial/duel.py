"""The duel: a discriminator, the objective it plays and the stabilisers around it, as one part that methods use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from i2i.adversarial.objectives.objective import Judged, Objective
from i2i.adversarial.stabilisers.stabiliser import Player, Stabiliser
from i2i.losses.precision import at_least_float32
from i2i.networks.layers.critic_output import CriticOutput


class Duel(nn.Module):
    """Both players' adversarial losses. Knows nothing about optimisers: methods minimise what it returns.

    `generator` is the opponent, which belongs to the method; only stabilisers that act on its weights look at it.
    `scores`, real and fake ones of the discriminator's last turn, are there for whoever watches the game.
    Raises ValueError for a discriminator, an objective and stabilisers that make no sense together.
    """

    turns: Tensor

    def __init__(
        self,
        discriminator: nn.Module,
        *,
        objective: Objective,
        stabilisers: Sequence[Stabiliser] = (),
        generator: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.discriminator = _stabilised(discriminator, objective, stabilisers)
        self.objective = objective
        self._stabilisers = nn.ModuleList(stabilisers)
        self._opponent = (generator,)  # in a tuple, so that its weights are not stored twice
        self.scores: tuple[Tensor, Tensor] | None = None
        self.register_buffer("turns", torch.zeros((), dtype=torch.int64))

    @property
    def stabilisers(self) -> tuple[Stabiliser, ...]:
        """The stabilisers in the order in which their hooks are called."""
        return tuple(self._stabilisers)  # type: ignore[arg-type]

    # -- the game --------------------------------------------------------------------------------------------------

    def judge(
        self,
        images: Tensor,
        *,
        condition: Tensor | None = None,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Judged:
        """What the discriminator says of images (N, C, H, W), seen beside condition planes of the same size.

        `weights` take the place of the discriminator's own ones of the same names.
        """
        shown, beside = images, condition
        for stabiliser in self.stabilisers:
            shown, beside = stabiliser.discriminator_input(shown, beside)
        seen = shown if beside is None else torch.cat((beside, shown), 1)
        output = functional_call(self.discriminator, dict(weights), (seen,)) if weights else self.discriminator(seen)
        if not isinstance(output, CriticOutput):
            raise TypeError(f"a discriminator returns a CriticOutput, got {type(output).__name__}")
        return Judged(images, output._replace(score=at_least_float32(output.score)))

    def discriminator_losses(
        self,
        real: Tensor,
        fake: Tensor,
        *,
        condition: Tensor | None = None,
        further: Callable[[Judged, Judged], dict[str, Tensor]] | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """What the discriminator minimises on real and (detached here) fake images, and indicators for the log.

        `further`: losses of the method's own on what the discriminator says of both.
        """
        fake, beside = fake.detach(), condition
        for stabiliser in self.stabilisers:
            fake, beside = stabiliser.discriminator_fake(fake, beside)
        real_judged = self.judge(real, condition=condition)
        fake_judged = self.judge(fake, condition=beside)
        losses = dict(self.objective.discriminator(real_judged, fake_judged))
        losses |= {} if further is None else further(real_judged, fake_judged)
        for stabiliser in self.stabilisers:
            losses |= stabiliser.parameter_penalty("discriminator", self.discriminator)
            with torch.autocast(real.device.type, enabled=False):
                losses |= stabiliser.discriminator_penalty(self, real, at_least_float32(fake), condition)
        with torch.no_grad():
            self.scores = real_judged.score.detach(), fake_judged.score.detach()
            self.objective.advance(real_judged, fake_judged)
            return losses, self.objective.indicators(real_judged, fake_judged)

    def generator_losses(
        self,
        fake: Tensor,
        *,
        real: Tensor,
        condition: Tensor | None = None,
        further: Callable[[Judged], dict[str, Tensor]] | None = None,
    ) -> dict[str, Tensor]:
        """The generator's adversarial loss under the name `g_adversarial`, and what stabilisers add to it.

        `further`: losses of the method's own on what the discriminator says of the fake images.
        """
        weights: dict[str, Tensor] = {}
        with torch.autocast(fake.device.type, enabled=False):
            for stabiliser in self.stabilisers:
                weights |= stabiliser.generator_weights(self, real, at_least_float32(fake), condition)
        fake_judged = self.judge(fake, condition=condition, weights=weights)
        needed = any(part.sees_real for part in (self.objective, *self.stabilisers))
        real_judged = self.judge(real, condition=condition, weights=weights) if needed else None
        (opponent,) = self._opponent
        losses = {} if further is None else further(fake_judged)
        if not any(stabiliser.replaces_adversarial for stabiliser in self.stabilisers):
            losses["g_adversarial"] = self.objective.generator(fake_judged, real=real_judged)
        for stabiliser in self.stabilisers:
            losses |= stabiliser.generator_penalty(fake_judged, real=real_judged)
            losses |= {} if opponent is None else stabiliser.parameter_penalty("generator", opponent)
        return losses

    def image_loss(self, fake: Tensor, *, real: Tensor, condition: Tensor | None = None) -> Tensor:
        """The objective's loss for the generator on further images alone: no penalties, the critic as it is."""
        real_judged = self.judge(real, condition=condition) if self.objective.sees_real else None
        return self.objective.generator(self.judge(fake, condition=condition), real=real_judged)

    # -- turns -----------------------------------------------------------------------------------------------------

    def generator_plays(self) -> bool:
        """Whether the generator has a turn after the discriminator's next one."""
        turn = int(self.turns) + 1
        return all(stabiliser.generator_plays(turn) for stabiliser in self.stabilisers)

    def stepped(self, player: Player) -> None:
        """To be called after every step of a player's optimiser."""
        (opponent,) = self._opponent
        for stabiliser in self.stabilisers:
            if player == "discriminator":
                stabiliser.after_discriminator_step(self.discriminator)
            elif opponent is not None:
                stabiliser.after_generator_step(opponent)
        if player == "discriminator":
            self.turns += 1


def _stabilised(network: nn.Module, objective: Objective, stabilisers: Sequence[Stabiliser]) -> nn.Module:
    """The discriminator with the layers that stabilisers give it. Raises ValueError with everything said against it.

    Those that change layers judge the network as it comes, the others as it will be: a penalty may go with a critic
    whose batch normalisation is replaced.
    """
    changing = [
        part for part in stabilisers if type(part).discriminator_network is not Stabiliser.discriminator_network
    ]
    said: list[tuple[nn.Module, str | None]] = [(objective, objective.refusal(network))]
    said += [(part, part.refusal(network, objective)) for part in changing]
    if all(why is None for _, why in said):
        for part in changing:
            network = part.discriminator_network(network)
    said += [(part, part.refusal(network, objective)) for part in stabilisers if part not in changing]
    refusals = [f"{type(part).__name__} {why}" for part, why in said if why is not None]
    if refusals:
        raise ValueError("; ".join(refusals))
    return network
