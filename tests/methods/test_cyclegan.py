"""CycleGAN's training step: what each player is stepped on, from what, and in which order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.unpaired import UnpairedBatch
from i2i.methods.cyclegan import CycleGAN, _both
from i2i.methods.parts import Parts
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.patchgan import PatchGAN
from i2i.networks.resnet import ResNet
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
from i2i.training.watch import Watch
from tests.methods.conftest import Make, paired_batch


class Plus(nn.Module):
    """Adds one learnt number to every value."""

    multiple = minimum = 1

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.tensor(number))

    def forward(self, planes: Tensor) -> Tensor:
        return planes + self.number


class Mean(nn.Module):
    """Scores a picture by its mean value times a learnt number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.score = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.score.weight, factor)

    def forward(self, planes: Tensor) -> CriticOutput:
        return CriticOutput(self.score(planes.mean((1, 2, 3))[:, None]))


def handmade(**options: Any) -> tuple[CycleGAN, Engine]:
    """a -> b adds 0.5, b -> a takes 0.25 away; the critic of a scores 2 x the mean, that of b 3 x the mean."""
    generators, critics = iter((0.5, -0.25)), iter((2.0, 3.0))
    parts = Parts(
        source_planes=3,
        target_planes=3,
        generator=lambda planes, out: Plus(next(generators)),
        discriminator=lambda planes: Mean(next(critics)),
        objective=OBJECTIVES["least_squares"],
    )
    return built(CycleGAN(parts, **options))


def tiny(
    objective: str = "least_squares", stabilisers: list[dict[str, Any]] | None = None, norm: Any = "instance"
) -> tuple[CycleGAN, Engine]:
    torch.manual_seed(0)

    def critic(planes: int) -> nn.Module:
        if objective == "began":
            return Autoencoder(in_channels=planes, channels=4, depth=2, code=4)
        return PatchGAN(in_channels=planes, channels=4, layers=1, norm=norm)

    parts = Parts(
        source_planes=3,
        target_planes=3,
        generator=lambda planes, out: ResNet(in_channels=planes, out_channels=out, channels=2, blocks=1),
        discriminator=critic,
        objective=OBJECTIVES[objective],
        stabilisers=lambda: [STABILISERS[given["type"]](**_options(given)) for given in stabilisers or []],
    )
    return built(CycleGAN(parts))


def _options(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "type"}


def built(method: CycleGAN) -> tuple[CycleGAN, Engine]:
    engine = Engine(method.players(), settings=dict.fromkeys(method.players(), OptimiserSettings()))
    engine.place(method)
    return method, engine


def step(method: CycleGAN, engine: Engine, batch: UnpairedBatch, number: int = 0) -> dict[str, float]:
    engine.begin(seed=0, step=number, rate_factor=1.0)
    logged = method.training_step(engine.batch(batch), engine)
    engine.end()
    return {name: float(loss) for name, loss in logged.items()}


def level(a: float, b: float) -> UnpairedBatch:
    """Pictures of one value."""
    return UnpairedBatch(torch.full((2, 3, 4, 4), a), torch.full((2, 3, 4, 4), b))


def test_the_losses_are_those_of_the_paper() -> None:
    # a = 0.1 -> 0.6 -> 0.35; b = -0.2 -> -0.45 -> 0.05: round trips are 0.25 off, identities 0.5 and 0.25.
    assert step(*handmade(), level(0.1, -0.2)) == pytest.approx(
        {
            "g_adversarial_a2b": (3 * 0.6 - 1) ** 2,
            "g_cycle_a2b": 10 * 0.25,
            "g_identity_a2b": 10 * 0.5 * 0.5,
            "g_adversarial_b2a": (2 * -0.45 - 1) ** 2,
            "g_cycle_b2a": 10 * 0.25,
            "g_identity_b2a": 10 * 0.5 * 0.25,
            "d_real_a": 0.5 * (2 * 0.1 - 1) ** 2,
            "d_fake_a": 0.5 * (2 * -0.45) ** 2,
            "d_real_b": 0.5 * (3 * -0.2 - 1) ** 2,
            "d_fake_b": 0.5 * (3 * 0.6) ** 2,
        },
        rel=1e-5,
    )


def test_weights_weigh() -> None:
    plain, other = (step(*handmade(**given), level(0.1, -0.2)) for given in ({}, {"cycle_weight": 5.0}))
    for name in ("g_cycle_a2b", "g_cycle_b2a", "g_identity_a2b", "g_identity_b2a"):
        assert other[name] == pytest.approx(plain[name] / 2)
    halved = step(*handmade(identity_weight=0.25, discriminator_weight=1.0), level(0.1, -0.2))
    assert halved["g_cycle_a2b"] == plain["g_cycle_a2b"]
    assert halved["g_identity_a2b"] == pytest.approx(plain["g_identity_a2b"] / 2)
    assert halved["d_real_b"] == pytest.approx(2 * plain["d_real_b"])


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({"identity_weight": 0.0}, {"g_identity_a2b", "g_identity_b2a"}),
        # The identity's weight is relative to the cycle's.
        ({"cycle_weight": 0.0}, {"g_cycle_a2b", "g_cycle_b2a", "g_identity_a2b", "g_identity_b2a"}),
    ],
)
def test_a_weight_of_nothing_leaves_its_losses_out(given: dict[str, float], gone: set[str]) -> None:
    assert set(step(*handmade(), level(0.1, -0.2))) - set(step(*handmade(**given), level(0.1, -0.2))) == gone


def test_each_generator_steps_along_the_sum_of_both_directions() -> None:
    method, engine = handmade()
    seen: dict[str, list[float]] = {}
    take = engine._step

    def watched(player: str) -> None:
        parameters = list(engine.players[player].parameters())
        seen[player] = [float(p.grad) for p in parameters if p.grad is not None]
        take(player)

    engine._step = watched  # type: ignore[method-assign]
    step(method, engine, level(0.1, -0.2))
    # d/dp of: (3 (0.1 + p) - 1)^2 + 10 |p + q| + 5 |p| + 10 |q + p| at p = 0.5, q = -0.25; and the like for q.
    p = 2 * 3 * (3 * 0.6 - 1) + 10 + 5 + 10
    q = 2 * 2 * (2 * -0.45 - 1) + 10 - 5 + 10
    assert seen["generator"] == pytest.approx([p, q], rel=1e-5)
    # d/dw of: 0.5 ((w 0.1 - 1)^2 + (w -0.45)^2) at w = 2, and 0.5 ((w -0.2 - 1)^2 + (w 0.6)^2) at w = 3
    critics = [(0.2 - 1) * 0.1 + 2 * 0.45**2, (-0.6 - 1) * -0.2 + 3 * 0.6**2]
    assert seen["discriminator"] == pytest.approx(critics, rel=1e-5)


@pytest.mark.parametrize(("norm", "passes"), [("instance", 1), ("batch", 2)])
def test_two_batches_share_a_pass_where_no_picture_depends_on_another(norm: Any, passes: int) -> None:
    torch.manual_seed(0)
    network = ResNet(channels=2, blocks=1, norm=norm)
    first, second = torch.rand(2, 3, 16, 16), torch.rand(1, 3, 16, 16)
    alone = network(first), network(second)
    seen: list[int] = []
    network.register_forward_hook(lambda network, given, made: seen.append(len(made)))
    for made, wanted in zip(_both(network, first, second), alone, strict=True):
        assert torch.allclose(made, wanted, atol=1e-6)
    assert len(seen) == passes
    sides = _both(network, first, torch.rand(1, 3, 20, 16))  # of two sizes, one after the other
    assert [made.shape[2] for made in sides] == [16, 20]


def test_the_generators_play_before_the_critics() -> None:
    method, engine = handmade()
    order: list[str] = []
    take = engine._step
    engine._step = lambda player: (order.append(player), take(player))[1]  # type: ignore[method-assign, func-returns-value]
    step(method, engine, level(0.1, -0.2))
    assert order == ["generator", "discriminator"]


def test_the_sides_may_have_other_planes_without_the_identity_loss() -> None:
    parts = Parts(
        source_planes=1,
        target_planes=3,
        generator=lambda planes, out: ResNet(in_channels=planes, out_channels=out, channels=2, blocks=1),
        discriminator=lambda planes: PatchGAN(in_channels=planes, channels=4, layers=1),
        objective=OBJECTIVES["least_squares"],
    )
    with pytest.raises(ValueError, match=r"these have 1 and 3; set method\.identity_weight to 0"):
        CycleGAN(parts)
    method, engine = built(CycleGAN(parts, identity_weight=0.0))
    batch = UnpairedBatch(torch.zeros(2, 1, 16, 16), torch.zeros(2, 3, 16, 16))
    losses = step(method, engine, batch)
    assert all(name in losses for name in ("g_cycle_a2b", "g_cycle_b2a", "d_fake_a", "d_fake_b"))
    assert method.generators()["a2b"](batch.source).shape == batch.target.shape
    assert method.generators()["b2a"](batch.target).shape == batch.source.shape


@pytest.mark.parametrize("given", [{"cycle_weight": -1.0}, {"identity_weight": -0.5}])
def test_negative_weights_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights are not negative"):
        handmade(**given)


def test_each_critic_plays_against_the_generator_of_its_side() -> None:
    method, _ = handmade()
    assert method.duel_a._opponent == (method.b2a,)
    assert method.duel_b._opponent == (method.a2b,)


def test_each_critic_keeps_the_fakes_of_its_own_side() -> None:
    method, engine = tiny(stabilisers=[{"type": "history_pool", "size": 3}])
    batch = UnpairedBatch(*paired_batch())
    with torch.no_grad():
        fakes = {"duel_a": method.b2a(batch.target), "duel_b": method.a2b(batch.source)}
    step(method, engine, batch)
    for name, fake in fakes.items():
        pool: Any = getattr(method, name).stabilisers[0]
        assert int(pool.count) == 2
        # The generators' first step came after these fakes were made.
        assert torch.allclose(pool.stored[:2], fake, atol=1e-6)


def test_a_run_with_a_pool_resumes_bit_for_bit() -> None:
    batch = UnpairedBatch(*paired_batch())
    one, two = (tiny(stabilisers=[{"type": "history_pool", "size": 3}]) for _ in range(2))
    for number in range(3):  # by then the pools are full and exchange by chance
        step(*one, batch, number)
    two[0].load_state_dict(one[0].state_dict())
    two[1].load_state(one[1].state())
    for number in (3, 4):
        assert step(*one, batch, number) == step(*two, batch, number)
    assert all(torch.equal(tensor, two[0].state_dict()[name]) for name, tensor in one[0].state_dict().items())


def test_where_the_critics_have_more_turns_the_generators_wait() -> None:
    method, engine = tiny(stabilisers=[{"type": "critic_steps", "count": 3}])
    batch = UnpairedBatch(*paired_batch())
    played = ["g_cycle_a2b" in step(method, engine, batch, number) for number in range(7)]
    assert played == [False, False, True, False, False, True, False]


def test_the_health_of_the_critics_is_the_mean_of_both_games() -> None:
    class Pictures:
        def examples(self, generators: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
            return [np.zeros((2, 2, 3), np.uint8)], [np.ones((2, 2, 3), np.uint8)]

    method, engine = handmade()
    watch = Watch(method, engine, Pictures(), every=5, translates=True)
    for number in range(5):
        watch.before(number + 1)
        step(method, engine, level(0.1, -0.2), number)
        watch.after(number + 1, rate_factor=1.0)
    # The critic of a puts 0.2 above -0.9, that of b -0.6 below 1.8.
    assert watch.health.numbers["told_apart_discriminator"] == 0.5


def test_one_tiny_batch_is_learnt_by_heart(make: Make) -> None:
    method, engine = make(name="cyclegan", objective="least_squares", learning_rate=4e-3, dropout=0.0)
    batch = UnpairedBatch(*paired_batch())
    losses = [step(method, engine, batch, number) for number in range(40)]
    for name in ("g_cycle_a2b", "g_cycle_b2a", "g_identity_a2b", "g_identity_b2a"):
        assert losses[-1][name] < 0.5 * losses[0][name], name


PLAIN = [(objective, None) for objective in OBJECTIVES]
HELPED = [("least_squares", stabiliser) for stabiliser in STABILISERS]


@pytest.mark.parametrize(("objective", "stabiliser"), PLAIN + HELPED)
def test_every_objective_and_every_stabiliser_trains_both_players(objective: str, stabiliser: str | None) -> None:
    norm = "batch" if stabiliser == "virtual_batch_norm" else "instance"
    method, engine = tiny(objective, [{"type": stabiliser}] if stabiliser else None, norm)
    before = {name: [p.detach().clone() for p in player.parameters()] for name, player in engine.players.items()}
    losses: dict[str, float] = {}
    for number in range(5):  # as many as the critics have steps before the generators' first
        losses |= step(method, engine, UnpairedBatch(*paired_batch()), number)
    assert all(torch.isfinite(torch.tensor(list(losses.values()))))
    for name, player in engine.players.items():
        moved = [not torch.equal(p, old) for p, old in zip(player.parameters(), before[name], strict=True)]
        assert any(moved), name
