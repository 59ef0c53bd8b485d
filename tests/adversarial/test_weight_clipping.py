"""Weight clipping: the box, and when it is kept."""

from __future__ import annotations

import pytest
import torch

from i2i.adversarial.stabilisers.weight_clipping import WeightClipping
from tests.adversarial.parts import critic, pix2pix, train


def largest(network: torch.nn.Module) -> float:
    return max(float(parameter.detach().abs().max()) for parameter in network.parameters())


def test_weights_in_the_box_stay_and_others_come_to_its_border() -> None:
    network = torch.nn.Linear(4, 1)
    network.weight.data = torch.tensor([[-3.0, -0.1, 0.2, 0.7]])
    network.bias.data = torch.tensor([9.0])
    WeightClipping(bound=0.5).after_discriminator_step(network)
    assert network.weight.tolist() == [pytest.approx([-0.5, -0.1, 0.2, 0.5])]
    assert network.bias.tolist() == [0.5]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_every_step_of_a_training_ends_in_the_box_and_the_critic_learns(norm: str, precision: str) -> None:
    method, engine = pix2pix(
        [WeightClipping(bound=0.02)], norm=norm, precision=precision, learning_rate=5e-3, conditional=True
    )
    discriminator = method.duel.discriminator
    assert largest(discriminator) > 0.02
    generator = largest(method.generator)
    for step in range(5):
        before = [parameter.detach().clone() for parameter in discriminator.parameters()]
        train(method, engine, range(step, step + 1))
        assert largest(discriminator) <= 0.02
        assert any(not torch.equal(one, two) for one, two in zip(before, discriminator.parameters(), strict=True))
    assert largest(method.generator) > 0.5 * generator > 0.02


def test_the_box_is_kept_in_place_so_that_the_optimiser_goes_on_with_the_same_numbers() -> None:
    network = critic(3)
    places = [parameter.data_ptr() for parameter in network.parameters()]
    WeightClipping().after_discriminator_step(network)
    assert [parameter.data_ptr() for parameter in network.parameters()] == places


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(ValueError, match="bound is above 0, got 0"):
        WeightClipping(bound=0)
