"""Unrolled critic: the generator plays against the critic as it will be some steps later, and knows how it gets there.

Metz et al. 2017, "Unrolled Generative Adversarial Networks", arXiv 1611.02163, equations 9 to 11. The critic's own
losses are minimised `steps` times on the batch at hand, each step a differentiable function of the fakes; the critic's
weights are left as they are (the power iteration of spectral normalisation goes on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Judged, Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.late_buffers import LateBuffers
from i2i.networks.layers.normalisation import has_batch_norm

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel

EPSILON = 1e-8


class Unrolled(LateBuffers, Stabiliser):
    """`steps` steps of the critic with `learning_rate`, which should be that of its optimiser.

    `adam`: with moments of the critic's gradients that this stabiliser keeps, one update each generator's turn (the
    first step of an Adam that has seen nothing is the gradient's sign, through which no gradient flows). `sgd`: the
    paper's equation 9 to the letter.
    """

    late = ("mean", "square")
    mean: Tensor
    square: Tensor
    seen: Tensor

    def __init__(
        self,
        *,
        steps: int = 5,
        learning_rate: float = 2e-4,
        optimiser: Literal["adam", "sgd"] = "adam",
        beta1: float = 0.5,
        beta2: float = 0.999,
    ) -> None:
        super().__init__()
        if steps < 1:
            raise ValueError(f"an unrolled critic takes at least one step, got {steps}")
        self.steps = steps
        self.learning_rate = learning_rate
        self.optimiser = optimiser
        self.beta1 = beta1
        self.beta2 = beta2
        for name in self.late:
            self.register_buffer(name, torch.empty(0))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """A critic with batch norm would move its running statistics in steps that never happened."""
        if has_batch_norm(discriminator):
            return (
                "wants a critic without batch normalisation, whose statistics would follow steps that are not taken; "
                "set discriminator.norm to instance or none"
            )
        return None

    def generator_weights(
        self,
        duel: Duel,
        real: Tensor,
        fake: Tensor,
        condition: Tensor | None,
    ) -> dict[str, Tensor]:
        """The critic's weights after the unrolled steps, as functions of `fake`."""
        own = {name: parameter.detach() for name, parameter in duel.discriminator.named_parameters()}
        line = torch.cat([weight.flatten() for weight in own.values()]).requires_grad_()
        mean, square = self._moments(line)
        for step in range(self.steps):
            loss = self._loss(duel, real, fake, condition, _shaped(line, own))
            (gradient,) = torch.autograd.grad(loss, line, create_graph=True)
            if self.optimiser == "sgd":
                line = line - self.learning_rate * gradient
                continue
            mean = self.beta1 * mean + (1 - self.beta1) * gradient
            square = self.beta2 * square + (1 - self.beta2) * gradient.square()
            if step == 0:
                self._remember(mean, square)
            line = line - self.learning_rate * self._change(mean, square, time=int(self.seen) + step)
        return _shaped(line, own)

    def _loss(
        self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None, weights: dict[str, Tensor]
    ) -> Tensor:
        """What the critic minimises in the objective; penalties of other stabilisers are left out."""
        if len(duel.stabilisers) == 1:  # nothing couples the pictures of a batch: one look at all of them
            both = duel.judge(
                torch.cat((real, fake)),
                condition=None if condition is None else torch.cat((condition, condition)),
                weights=weights,
            )
            real_score, fake_score = both.score.chunk(2)
            real_judged = Judged(real, both.output._replace(score=real_score))
            fake_judged = Judged(fake, both.output._replace(score=fake_score))
        else:
            real_judged = duel.judge(real, condition=condition, weights=weights)
            fake_judged = duel.judge(fake, condition=condition, weights=weights)
        return torch.stack(tuple(duel.objective.discriminator(real_judged, fake_judged).values())).sum()

    def _change(self, mean: Tensor, square: Tensor, *, time: int) -> Tensor:
        """Kingma and Ba 2015, algorithm 1; the root is taken of a positive number, so that its slope is finite."""
        first, second = 1 - self.beta1**time, 1 - self.beta2**time
        return (mean / first) / ((square / second + EPSILON**2).sqrt() + EPSILON)

    def _moments(self, line: Tensor) -> tuple[Tensor, Tensor]:
        """The kept moments; zeros at first."""
        if self.mean.numel() != line.numel():
            self.mean, self.square = torch.zeros_like(line.detach()), torch.zeros_like(line.detach())
        return self.mean, self.square

    def _remember(self, mean: Tensor, square: Tensor) -> None:
        self.mean, self.square = mean.detach(), square.detach()
        self.seen += 1


def _shaped(line: Tensor, like: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights that lie behind each other in a line, by name and in the shapes of `like`."""
    parts = torch.split(line, [weight.numel() for weight in like.values()])
    return {name: part.view(weight.shape) for part, (name, weight) in zip(parts, like.items(), strict=True)}
