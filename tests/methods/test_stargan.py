"""StarGAN: what its losses are made of, who is told what, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from i2i.adversarial.objectives.wasserstein import Wasserstein
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.conditioned import ConditionedBatch
from i2i.errors import I2IError
from i2i.images.card import Condition
from i2i.methods.parts import Parts
from i2i.methods.stargan import StarGAN
from i2i.networks import stargan as networks
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings

DOMAINS = Condition(kind="domains", names=("dark", "grey", "bright"))
ATTRIBUTES = Condition(kind="attributes", names=("smile", "glasses"))


def game(
    condition: Condition | None = DOMAINS, *, stabilisers: tuple[Any, ...] = (), **options: Any
) -> tuple[StarGAN, Engine]:
    """The method on small pictures of grey, and its engine."""
    torch.manual_seed(0)
    parts = Parts(
        source_planes=0,
        target_planes=1,
        condition=condition,
        condition_numbers=len(condition.names) if condition else 0,
        generator=lambda planes, out, condition_channels: networks.StarGAN(
            in_channels=planes, out_channels=out, condition_channels=condition_channels, channels=4, blocks=1
        ),
        discriminator=lambda planes, condition_channels: networks.StarGANCritic(
            in_channels=planes, condition_channels=condition_channels, size=8, channels=4, layers=2
        ),
        objective=Wasserstein,
        stabilisers=lambda: list(stabilisers),
    )
    method = StarGAN(parts, **options)
    settings = dict.fromkeys(method.players(), OptimiserSettings(learning_rate=2e-3))
    return method, Engine(method.players(), settings=settings)


def batch(condition: Any) -> ConditionedBatch:
    """Noise, one picture for each row of the condition."""
    pictures = torch.rand(len(condition), 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return ConditionedBatch(pictures, torch.tensor(condition))


def play(method: StarGAN, engine: Engine, given: ConditionedBatch, count: int = 1) -> list[dict[str, float]]:
    logged = []
    for step in range(count):
        engine.begin(seed=0, step=step, rate_factor=1.0)
        logged.append({name: float(loss) for name, loss in method.training_step(given, engine).items()})
    return logged


def asked_for(method: StarGAN) -> list[Tensor]:
    """The conditions that the generator is told, from now on."""
    seen: list[Tensor] = []
    method.generator.register_forward_pre_hook(lambda module, given: seen.append(given[1].clone()))
    return seen


def test_the_critic_learns_the_domains_of_real_pictures_and_not_those_of_its_translations() -> None:
    method, engine = game()
    given = batch([0, 1, 2, 2])
    with torch.no_grad():
        logits = method.duel.discriminator(given.image).classes
    expected = float(cross_entropy(logits, given.condition))
    assert play(method, engine, given)[0]["d_class"] == pytest.approx(expected, rel=1e-5)
    assert play(*game(classification_weight=3.0), given)[0]["d_class"] == pytest.approx(3 * expected, rel=1e-5)


def test_attributes_are_a_yes_or_no_each_summed_over_the_attributes() -> None:
    method, engine = game(ATTRIBUTES)
    given = batch([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    with torch.no_grad():
        logits = method.duel.discriminator(given.image).classes
    each = [binary_cross_entropy_with_logits(logits[:, k], given.condition[:, k]) for k in range(2)]
    assert play(method, engine, given)[0]["d_class"] == pytest.approx(float(sum(each)), rel=1e-5)


def test_translations_are_asked_for_the_batchs_own_conditions_in_another_order() -> None:
    method, engine = game()
    seen = asked_for(method)
    given = batch([0, 0, 0, 1, 1, 2])
    play(method, engine, given, count=4)
    wanted, back = seen[::2], seen[1::2]  # there, and in the generator's turn back again
    assert all(torch.equal(told.sort().values, given.condition) for told in wanted)
    assert all(torch.equal(told, given.condition) for told in back)
    assert len({tuple(told.tolist()) for told in wanted}) > 1


def test_the_generator_is_judged_by_the_condition_it_was_asked_for_and_by_the_way_back() -> None:
    # Both players stand still, so what they make and say can be asked for afterwards.
    method, engine = game()
    for optimiser in engine.settings:
        engine.settings[optimiser] = OptimiserSettings(learning_rate=1e-30)
    seen = asked_for(method)
    given = batch([0, 1, 2, 2])
    logged = play(method, engine, given)[0]
    with torch.no_grad():
        fake = method.generator(given.image, seen[0])
        output = method.duel.discriminator(fake)
        again = method.generator(fake, given.condition)
    assert logged["g_class"] == pytest.approx(float(cross_entropy(output.classes, seen[0])), rel=1e-4)
    assert logged["g_adversarial"] == pytest.approx(-float(output.score.mean()), rel=1e-4)
    assert logged["g_reconstruction"] == pytest.approx(10 * float((again - given.image).abs().mean()), rel=1e-4)


def test_a_weight_of_nothing_leaves_its_losses_out() -> None:
    given = batch([0, 1, 2])
    unclassified = play(*game(classification_weight=0.0), given)[0]
    assert not {"d_class", "g_class"} & unclassified.keys()
    assert "g_reconstruction" in unclassified
    assert "g_reconstruction" not in play(*game(reconstruction_weight=0.0), given)[0]


def test_the_generator_has_a_turn_after_every_so_many_of_the_critic() -> None:
    stabilisers = (STABILISERS["gradient_penalty"](), STABILISERS["critic_steps"](count=3))
    method, engine = game(stabilisers=stabilisers)
    seen = asked_for(method)
    logged = play(method, engine, batch([0, 1, 2]), count=6)
    assert ["g_adversarial" in losses for losses in logged] == [False, False, True] * 2
    assert len(seen) == 4 + 2 * 2  # no way back is looked at in vain


@pytest.mark.slow  # 150 steps of the critic, half as many of the generator
def test_it_learns_to_make_pictures_as_bright_as_the_domain_it_is_asked_for() -> None:
    stabilisers = (STABILISERS["gradient_penalty"](), STABILISERS["critic_steps"](count=2))
    method, engine = game(stabilisers=stabilisers, reconstruction_weight=1.0)
    domains = torch.arange(12) % 3
    grain = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 0.2
    pictures = grain + (domains.view(-1, 1, 1, 1) - 1) * 0.6
    play(method, engine, ConditionedBatch(pictures, domains), count=150)
    with torch.no_grad():
        means = [float(method.generator(pictures, torch.full((12,), k)).mean()) for k in range(3)]
    assert means[0] < means[1] - 0.2 < means[2] - 0.4


@pytest.mark.parametrize(
    ("condition", "options", "said"),
    [
        (None, {}, "needs data with domains or attributes"),
        (DOMAINS, {"classification_weight": -1.0}, "weights are not negative, got classification -1.0"),
        (DOMAINS, {"reconstruction_weight": -1.0}, "reconstruction -1.0"),
        (DOMAINS, {"stabilisers": (STABILISERS["packing"](),)}, "leave out the stabiliser packing"),
        (
            Condition(kind="attributes", names=("smile", "age"), ranges=((0.0, 1.0), (0.0, 99.0))),
            {},
            "more than a yes or no: leave age out of data.attributes",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(condition: Condition | None, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        game(condition, **options)


def test_a_picture_without_a_known_domain_is_refused() -> None:
    with pytest.raises(I2IError, match="needs the domain of every picture") as caught:
        play(*game(), batch([0, -1]))
    assert caught.value.code == "E_BAD_DATA"
