"""Historical averaging: the distance to the mean of all past weights, for both players."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from i2i.adversarial.stabilisers.historical_averaging import HistoricalAveraging
from i2i.adversarial.stabilisers.stabiliser import Player
from tests.adversarial.parts import critic, duel, pix2pix, train


class Weights(nn.Module):
    """Three numbers in two parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.zeros(2))
        self.second = nn.Parameter(torch.zeros(1, 1))

    def go_to(self, x: float, y: float, z: float) -> None:
        self.first.data = torch.tensor([x, y])
        self.second.data = torch.tensor([[z]])


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_the_penalty_is_the_papers(player: Player) -> None:
    stabiliser, network = HistoricalAveraging(weight=0.5), Weights()
    stepped = stabiliser.after_discriminator_step if player == "discriminator" else stabiliser.after_generator_step
    name = f"{player[0]}_historical"
    assert stabiliser.parameter_penalty(player, network)[name] == 0
    for place in ((3.0, 0.0, 0.0), (3.0, 6.0, -3.0)):
        network.go_to(*place)
        stepped(network)
    # The mean of (0, 0, 0), (3, 0, 0) and (3, 6, -3) is (2, 2, -1): (1, 4, -2) away, in squares 21.
    (loss,) = stabiliser.parameter_penalty(player, network).values()
    assert loss.item() == pytest.approx(0.5 * 21)
    loss.backward()
    assert network.first.grad is not None
    assert network.second.grad is not None
    assert network.first.grad.tolist() == pytest.approx([1.0, 4.0])
    assert network.second.grad.tolist() == [pytest.approx([-2.0])]


def test_the_players_have_a_history_each() -> None:
    stabiliser, network = HistoricalAveraging(weight=1.0), Weights()
    for player in ("discriminator", "generator"):
        stabiliser.parameter_penalty(player, network)
    network.go_to(1.0, 1.0, 1.0)
    stabiliser.after_generator_step(network)
    assert stabiliser.parameter_penalty("discriminator", network)["d_historical"] == 3
    assert stabiliser.parameter_penalty("generator", network)["g_historical"].item() == pytest.approx(0.75)


def test_the_history_comes_back_with_the_state() -> None:
    stabiliser, network = HistoricalAveraging(), Weights()
    stabiliser.parameter_penalty("generator", network)
    network.go_to(1.0, 2.0, 3.0)
    stabiliser.after_generator_step(network)
    again = HistoricalAveraging()
    again.load_state_dict(stabiliser.state_dict())
    for one in (stabiliser, again):
        one.after_generator_step(network)
    assert again.generator_mean.tolist() == stabiliser.generator_mean.tolist() == pytest.approx([2 / 3, 4 / 3, 2.0])
    assert again.discriminator_mean.numel() == 0


def test_a_training_is_held_back() -> None:
    """Steps of Adam are of one length, so what the penalty changes is where they go."""

    def travelled(weight: float) -> float:
        method, engine = pix2pix([HistoricalAveraging(weight=weight)], learning_rate=0.01)
        before = [parameter.detach().clone() for parameter in method.duel.discriminator.parameters()]
        losses = train(method, engine, 6)
        assert losses[0]["d_historical"] == losses[0]["g_historical"] == 0
        assert losses[-1]["d_historical"] > 0
        assert losses[-1]["g_historical"] > 0
        pairs = zip(before, method.duel.discriminator.parameters(), strict=True)
        return sum(float((one - two).detach().square().sum()) for one, two in pairs)

    assert travelled(1e3) < travelled(1e-6)


def test_without_a_known_generator_the_discriminator_alone_is_held() -> None:
    made = duel(critic(3), HistoricalAveraging())
    image = torch.randn(2, 3, 16, 16)
    assert "d_historical" in made.discriminator_losses(image, image)[0]
    assert set(made.generator_losses(image, real=image)) == {"g_adversarial"}


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_above_0_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight is above 0, got"):
        HistoricalAveraging(weight=weight)
