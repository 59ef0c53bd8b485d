"""Unrolled critic: the generator plays against the critic as it will be some steps later, and knows how it gets there.

Metz et al. 2017, "Unrolled Generative Adversarial Networks", arXiv 1611.02163, equations 9 to 11. The critic's own
losses are minimised `steps` times on the batch at hand, each step a differentiable function of the fakes; the critic
itself is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.late_buffers import LateBuffers

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
        learning_rate: float = 1e-4,
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
        if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in discriminator.modules()):
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
        weights = {
            name: parameter.detach().clone().requires_grad_()
            for name, parameter in duel.discriminator.named_parameters()
        }
        mean, square = self._moments(weights)
        for step in range(self.steps):
            gradient = torch.autograd.grad(
                self._loss(duel, real, fake, condition, weights), list(weights.values()), create_graph=True
            )
            if self.optimiser == "sgd":
                change = list(gradient)
            else:
                mean = [self.beta1 * m + (1 - self.beta1) * g for m, g in zip(mean, gradient, strict=True)]
                square = [self.beta2 * v + (1 - self.beta2) * g.square() for v, g in zip(square, gradient, strict=True)]
                if step == 0:
                    self._remember(mean, square)
                change = self._adam(mean, square, time=int(self.seen) + step)
            weights = {
                name: weight - self.learning_rate * moved
                for (name, weight), moved in zip(weights.items(), change, strict=True)
            }
        return weights

    def _loss(
        self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None, weights: dict[str, Tensor]
    ) -> Tensor:
        """What the critic minimises in the objective; penalties of other stabilisers are left out."""
        real_judged = duel.judge(real, condition=condition, weights=weights)
        fake_judged = duel.judge(fake, condition=condition, weights=weights)
        return torch.stack(tuple(duel.objective.discriminator(real_judged, fake_judged).values())).sum()

    def _adam(self, mean: Sequence[Tensor], square: Sequence[Tensor], *, time: int) -> list[Tensor]:
        """Kingma and Ba 2015, algorithm 1; the root is taken of a positive number, so that its slope is finite."""
        first, second = 1 - self.beta1**time, 1 - self.beta2**time
        return [m / first / ((v / second + EPSILON**2).sqrt() + EPSILON) for m, v in zip(mean, square, strict=True)]

    def _moments(self, weights: dict[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """The kept moments in the shapes of the weights; zeros at first."""
        sizes = [weight.numel() for weight in weights.values()]
        if self.mean.numel() != sum(sizes):
            like = next(iter(weights.values()))
            self.mean, self.square = like.new_zeros(sum(sizes)), like.new_zeros(sum(sizes))
        mean, square = (
            [part.view_as(weight) for part, weight in zip(torch.split(flat, sizes), weights.values(), strict=True)]
            for flat in (self.mean, self.square)
        )
        return mean, square

    def _remember(self, mean: Sequence[Tensor], square: Sequence[Tensor]) -> None:
        self.mean = torch.cat([m.detach().flatten() for m in mean])
        self.square = torch.cat([v.detach().flatten() for v in square])
        self.seen += 1
