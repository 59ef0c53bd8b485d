"""When players step: the two-player game V(x, y) = x * y, whose every step is known in closed form."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings

RATE = 0.1


class Number(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value]))


def game(order: Any, **settings: Any) -> Engine:
    players = {"x": Number(1.0), "y": Number(0.5)}
    chosen = OptimiserSettings(**{"type": "sgd", "learning_rate": RATE, "beta1": 0.0, **settings})
    return Engine(players, settings=dict.fromkeys(players, chosen), order=order, precision="fp64")


def play(engine: Engine, steps: int, *, start: int = 0) -> list[float]:
    """The distance to the equilibrium after every iteration; x minimises x * y and y maximises it."""
    x, y = engine.players["x"], engine.players["y"]
    norms = []
    for step in range(start, start + steps):
        engine.begin(seed=0, step=step, rate_factor=1.0)
        with engine.turn("x") as turn:
            turn.minimise({"x": (x.value * y.value).sum()})
        with engine.turn("y") as turn:
            turn.minimise({"y": -(x.value * y.value).sum()})
        engine.end()
        norms.append(math.hypot(float(x.value), float(y.value)))
    return norms


def test_simultaneous_steps_spiral_outwards() -> None:
    norms = [math.hypot(1.0, 0.5), *play(game("simultaneous"), 5)]
    factors = [after / before for before, after in itertools.pairwise(norms)]
    assert factors == pytest.approx([math.sqrt(1 + RATE**2)] * 5, rel=1e-12)


def test_alternating_steps_stay_on_a_closed_orbit() -> None:
    # The map has determinant 1 and complex eigenvalues for rates below 2: mean growth per step is 1.
    norms = play(game("alternating"), 2000)
    assert (norms[-1] / norms[0]) ** (1 / 2000) == pytest.approx(1.0, abs=1e-4)
    assert min(norms) / max(norms) > 0.8


def test_looking_ahead_spirals_inwards() -> None:
    norms = play(game("extragradient"), 12)
    real_steps = [math.hypot(1.0, 0.5), *norms[1::2]]
    factors = [after / before for before, after in itertools.pairwise(real_steps)]
    assert factors == pytest.approx([math.sqrt(1 - RATE**2 + RATE**4)] * 6, rel=1e-12)


def test_a_game_interrupted_between_looking_ahead_and_stepping_goes_on_alike() -> None:
    whole, one, two = (game("extragradient", type="adam", beta1=0.5) for _ in range(3))
    expected = play(whole, 6)
    play(one, 3)
    for name, player in two.players.items():
        player.load_state_dict(one.players[name].state_dict())
    two.load_state(one.state())
    assert play(two, 3, start=3) == expected[3:]


def test_optimistic_adam_adds_its_newest_step_and_takes_the_one_before_back() -> None:
    def path(kind: str) -> list[Tensor]:
        player = Number(1.0)
        chosen = OptimiserSettings(type=kind, learning_rate=0.01, beta1=0.5)  # type: ignore[arg-type]
        engine = Engine({"net": player}, settings={"net": chosen}, precision="fp64")
        seen = [player.value.detach().clone()]
        for step in range(3):
            engine.begin(seed=0, step=step, rate_factor=1.0)
            with engine.turn("net") as turn:
                turn.minimise({"loss": 3.0 * player.value.sum()})  # a constant gradient: both see the same moments
            seen.append(player.value.detach().clone())
        return seen

    plain, optimistic = path("adam"), path("optimistic_adam")
    steps = [after - before for before, after in itertools.pairwise(plain)]
    expected = [plain[0]]
    for index, step in enumerate(steps):
        expected.append(expected[-1] + 2 * step - (steps[index - 1] if index else 0))
    assert torch.allclose(torch.stack(optimistic), torch.stack(expected), rtol=1e-12)


def test_optimistic_adam_settles_where_plain_adam_circles() -> None:
    settings = {"learning_rate": 0.05, "beta1": 0.0, "beta2": 0.999}
    plain = play(game("simultaneous", type="adam", **settings), 2000)
    optimistic = play(game("simultaneous", type="optimistic_adam", **settings), 2000)
    assert optimistic[-1] < 0.01
    assert plain[-1] > 1


@pytest.mark.parametrize("kind", ["adam", "optimistic_adam", "rmsprop", "sgd"])
def test_the_layout_of_the_weights_does_not_change_a_step(kind: Any) -> None:
    def trained(channels_last: bool) -> list[Tensor]:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 2, (2, 3)))
        settings = {"net": OptimiserSettings(type=kind, learning_rate=1e-2)}
        engine = Engine({"net": network}, settings=settings, precision="fp64", channels_last=channels_last)
        given = torch.randn(2, 3, 7, 6, dtype=torch.float64)
        for step in range(3):
            engine.begin(seed=0, step=step, rate_factor=1.0)
            with engine.turn("net") as turn:
                turn.minimise({"loss": network(given).square().mean()})
        return [parameter.detach() for parameter in network.parameters()]

    for here, there in zip(trained(True), trained(False), strict=True):
        assert torch.allclose(here, there, rtol=1e-9, atol=1e-12)
