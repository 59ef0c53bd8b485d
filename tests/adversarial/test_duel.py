"""The duel: what the discriminator is shown, and where gradients go."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.critic_output import CriticOutput


class Sum(nn.Module):
    """Scores a picture by a weight times the sum of its first channel."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, planes: Tensor) -> CriticOutput:
        return CriticOutput(self.weight * planes[:, 0].sum((1, 2)))


class Negative(Stabiliser):
    def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return -image, condition


def test_the_condition_is_seen_before_the_image() -> None:
    duel = Duel(Sum(), objective=NonSaturating())
    image, condition = torch.full((1, 1, 2, 2), 5.0), torch.full((1, 1, 2, 2), 3.0)
    assert duel.judge(image).score.item() == 20
    assert duel.judge(image, condition=condition).score.item() == 12


def test_every_stabiliser_changes_what_is_judged() -> None:
    image = torch.full((1, 1, 2, 2), 5.0)
    once = Duel(Sum(), objective=NonSaturating(), stabilisers=[Negative()])
    twice = Duel(Sum(), objective=NonSaturating(), stabilisers=[Negative(), Negative()])
    assert (once.judge(image).score.item(), twice.judge(image).score.item()) == (-20, 20)


def test_the_discriminators_losses_do_not_reach_the_generator() -> None:
    duel = Duel(Sum(), objective=NonSaturating())
    fake = torch.ones(1, 1, 1, 1, requires_grad=True)
    losses, _ = duel.discriminator_losses(torch.ones(1, 1, 1, 1), fake)
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert fake.grad is None
    losses = duel.generator_losses(fake, real=torch.ones(1, 1, 1, 1))
    assert float(losses["g_adversarial"]) == pytest.approx(math.log(1 + math.exp(-1)))
    losses["g_adversarial"].backward()
    assert fake.grad is not None


def test_a_discriminator_that_returns_a_bare_tensor_is_named() -> None:
    with pytest.raises(TypeError, match="CriticOutput, got Tensor"):
        Duel(nn.Identity(), objective=NonSaturating()).judge(torch.zeros(1, 1, 1, 1))
