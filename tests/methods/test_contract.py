"""What every method of the table promises, on the parts of `tiny`; a new method adds its line there."""

from __future__ import annotations

import pytest
import torch

from i2i.data import DATASETS
from i2i.methods import METHODS
from i2i.methods.method import Method
from i2i.training.engine import Engine
from i2i.weights.wrapper import evaluating
from tests.methods.conftest import BATCHES, Make

every_method = pytest.mark.parametrize("name", list(METHODS))


def steps(method: Method, engine: Engine, count: int, *, name: str) -> list[dict[str, float]]:
    losses = []
    for step in range(count):
        engine.begin(seed=0, step=step, rate_factor=1.0)
        logged = method.training_step(engine.batch(BATCHES[name]()), engine)
        losses.append({key: float(loss) for key, loss in logged.items()})
    return losses


@every_method
def test_a_method_is_a_method_and_some_dataset_feeds_it(name: str) -> None:
    kind = METHODS[name]
    assert issubclass(kind, Method)
    assert kind.batch_type in {DATASETS[dataset].batch_type for dataset in DATASETS}


@every_method
def test_its_directions_are_those_of_its_generators(make: Make, name: str) -> None:
    method, _ = make(name=name)
    assert set(method.generators()) == set(method.directions)


@every_method
def test_the_same_seed_gives_the_same_losses(make: Make, name: str) -> None:
    assert steps(*make(name=name), 3, name=name) == steps(*make(name=name), 3, name=name)


@every_method
def test_every_player_learns_and_only_in_its_own_turn(make: Make, name: str) -> None:
    method, engine = make(name=name)
    learnt: set[str] = set()
    step = engine._step

    def watched(player: str) -> None:
        before = {n: [p.detach().clone() for p in part.parameters()] for n, part in engine.players.items()}
        step(player)
        for other, part in engine.players.items():
            moved = any(not torch.equal(p, q) for p, q in zip(part.parameters(), before[other], strict=True))
            assert moved == (other == player), f"{other} in the turn of {player}"
        learnt.add(player)

    engine._step = watched  # type: ignore[method-assign]
    steps(method, engine, 1, name=name)
    assert learnt == set(method.players())


@every_method
def test_a_restored_method_and_engine_take_the_same_next_step(make: Make, name: str) -> None:
    one, two = make(name=name), make(name=name)
    steps(*one, 2, name=name)
    two[0].load_state_dict(one[0].state_dict())
    two[1].load_state(one[1].state())
    assert steps(*one, 1, name=name) == steps(*two, 1, name=name)


@every_method
def test_translating_leaves_weights_buffers_and_modes_as_they_were(make: Make, name: str) -> None:
    method, engine = make(name=name)
    steps(method, engine, 1, name=name)
    before = {key: value.clone() for key, value in method.state_dict().items()}
    modes = [module.training for module in method.modules()]
    for network in method.generators().values():
        with torch.no_grad(), evaluating(network):
            latent_channels = getattr(network, "latent_channels", 0)
            given = [torch.zeros(2, latent_channels) if latent_channels else BATCHES[name]()[0]]
            network(*given, *([BATCHES[name]().condition] if hasattr(network, "condition_channels") else []))
    assert all(torch.equal(value, before[key]) for key, value in method.state_dict().items())
    assert [module.training for module in method.modules()] == modes
