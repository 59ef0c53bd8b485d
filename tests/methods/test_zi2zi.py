"""zi2zi: the losses by an independent formula, who steps when, and what is kept from learning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers.packing import Packing
from i2i.data.glyphs import StyledBatch
from i2i.images.card import Condition
from i2i.methods.parts import Parts
from i2i.methods.zi2zi import Zi2Zi
from i2i.networks.unet import UNet
from i2i.networks.zi2zi import Zi2ZiCritic, Zi2ZiGenerator
from tests.methods.conftest import BATCHES, Make

PLAIN: dict[str, Any] = {"name": "zi2zi", "norm": "none", "dropout": 0.0, "generator_turns": 1}


def batch() -> StyledBatch:
    made: StyledBatch = BATCHES["zi2zi"]()
    return made


def step(method: Any, engine: Any, *, number: int = 0) -> dict[str, float]:
    engine.begin(seed=0, step=number, rate_factor=1.0)
    return {name: float(loss) for name, loss in method.training_step(engine.batch(batch()), engine).items()}


def test_the_generator_minimises_what_the_code_says(make: Make) -> None:
    method, engine = make(**PLAIN, variation_weight=2.0)
    source, target, styles = batch()
    with torch.no_grad():
        fake = method.generator(source, styles)
        code, again = (method.generator.encode(planes)[-1] for planes in (source, fake))
        across = (fake[..., 1:] - fake[..., :-1]).square().mean()
        down = (fake[..., 1:, :] - fake[..., :-1, :]).square().mean()
    logged = step(method, engine)
    assert logged["g_l1"] == pytest.approx(100 * float((fake - target).abs().mean()), rel=1e-5)
    assert logged["g_constancy"] == pytest.approx(15 * float((again - code).square().mean()), rel=1e-4)
    assert logged["g_variation"] == pytest.approx(2 * float(across + down), rel=1e-5)


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_critic_learns_styles_from_real_and_from_made_pictures(make: Make, shuffled: bool) -> None:
    method, engine = make(**PLAIN, category_weight=3.0, shuffled_labels=shuffled)
    source, target, styles = batch()
    engine.begin(seed=0, step=0, rate_factor=1.0)
    asked = [styles, *([styles[torch.randperm(2)]] if shuffled else [])]
    with torch.no_grad():
        seen = [(target, styles), *((method.generator(source, others), others) for others in asked)]
        losses = [
            cross_entropy(method.duel.discriminator(torch.cat((source, picture), 1)).classes, of)
            for picture, of in seen
        ]
    expected = 3 * sum(map(float, losses)) / len(losses)
    assert step(method, engine)["d_category"] == pytest.approx(expected, rel=1e-4)


def test_pictures_without_an_answer_take_no_part_in_l1(make: Make) -> None:
    with_them, without = (step(*make(**PLAIN, shuffled_labels=flag)) for flag in (True, False))
    assert with_them["g_l1"] == pytest.approx(without["g_l1"], rel=1e-5)
    method, _ = make(**PLAIN, shuffled_labels=True)
    asked = method._asked(batch())
    assert (len(asked.source), asked.answered) == (4, 2)
    assert sorted(asked.styles[2:].tolist()) == [0, 1]


def test_the_generator_steps_twice_for_one_step_of_the_critic(make: Make) -> None:
    method, engine = make(name="zi2zi")
    stepped: list[str] = []
    plain = engine._step

    def counted(player: str) -> None:
        stepped.append(player)
        plain(player)

    engine._step = counted
    step(method, engine)
    assert stepped == ["discriminator", "generator", "generator"]


def test_the_second_update_goes_on_from_the_first(make: Make) -> None:
    once, twice = (step(*make(**{**PLAIN, "generator_turns": turns}))["g_l1"] for turns in (1, 2))
    assert twice < once  # what is logged is the loss before the last update


def test_a_frozen_encoder_does_not_change_and_the_rest_learns(make: Make) -> None:
    method, engine = make(name="zi2zi", frozen_encoder=True)
    before = {name: value.clone() for name, value in method.generator.state_dict().items()}
    method.train()
    for number in range(2):
        step(method, engine, number=number)
    changed = {name for name, value in method.generator.state_dict().items() if not torch.equal(value, before[name])}
    assert not {name for name in changed if name.startswith("encoder")}
    assert {name for name, _ in method.generator.decoder.named_parameters(prefix="decoder")} <= changed


def test_fakes_that_are_read_again_do_not_enter_the_running_statistics(make: Make) -> None:
    found = []
    for weight in (15.0, 0.0):
        method, engine = make(name="zi2zi", generator_turns=1, constancy_weight=weight)
        step(method, engine)
        found.append({k: v for k, v in method.generator.encoder.state_dict().items() if "running" in k})
    assert found[0] and all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_weights_of_zero_leave_losses_out(make: Make) -> None:
    off = {"l1_weight": 0.0, "constancy_weight": 0.0, "category_weight": 0.0}
    assert set(step(*make(name="zi2zi", **off))) == {"d_real", "d_fake", "g_adversarial"}


def test_the_adversarial_loss_alone_is_weighted(make: Make) -> None:
    half, whole = (step(*make(**PLAIN, adversarial_weight=weight)) for weight in (0.5, 1.0))
    assert half["g_adversarial"] == pytest.approx(0.5 * whole["g_adversarial"], rel=1e-5)
    same = set(whole) - {"g_adversarial"}
    assert {name: half[name] for name in same} == {name: whole[name] for name in same}


def test_with_nothing_to_please_it_in_the_critic_takes_no_part(make: Make) -> None:
    method, engine = make(**PLAIN, adversarial_weight=0.0, category_weight=0.0, constancy_weight=0.0)
    assert set(method.players()) == {"generator"}
    before = {name: value.clone() for name, value in method.duel.state_dict().items()}
    assert set(step(method, engine)) == {"g_l1"}
    assert all(torch.equal(value, before[name]) for name, value in method.duel.state_dict().items())


def test_a_critic_that_tells_styles_alone_still_learns(make: Make) -> None:
    logged = step(*make(**PLAIN, adversarial_weight=0.0))
    assert {"d_category", "g_category", "g_l1", "g_constancy"} <= set(logged)
    assert "g_adversarial" not in logged


def test_it_learns_a_batch_by_heart(make: Make) -> None:
    method, engine = make(name="zi2zi", dropout=0.0, learning_rate=5e-3)
    first = step(method, engine)["g_l1"]
    for number in range(1, 40):
        last = step(method, engine, number=number)["g_l1"]
    assert last < 0.5 * first


def test_the_finished_translator_takes_mixtures_of_the_fonts(make: Make) -> None:
    method, _ = make(name="zi2zi")
    fonts = Condition(kind="domains", names=("Long Cang", "Ma Shan Zheng"))
    assert method.condition(fonts) == Condition(kind="domains", names=fonts.names, mixed=True)


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({"condition_numbers": 0}, {}, "needs data with fonts"),
        ({}, {"l1_weight": -1.0}, "weights are not negative"),
        (
            {},
            {"adversarial_weight": 0, "l1_weight": 0, "constancy_weight": 0, "category_weight": 0},
            "nothing to learn from",
        ),
        ({}, {"generator_turns": 0}, "generator_turns is 1 or more"),
        ({"stabilisers": lambda: [Packing()]}, {}, "leave out the stabiliser packing"),
        (
            {"generator": lambda planes, out, condition_channels: UNet(in_channels=1, out_channels=1, channels=2)},
            {},
            "needs the generator zi2zi",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], options: dict[str, Any], said: str) -> None:
    parts = Parts(
        source_planes=1,
        target_planes=1,
        condition_numbers=2,
        generator=lambda planes, out, condition_channels: Zi2ZiGenerator(channels=2, depth=2),
        discriminator=lambda planes, condition_channels: Zi2ZiCritic(in_channels=planes, size=8, channels=2),
        objective=OBJECTIVES["non_saturating"],
    )
    with pytest.raises(ValueError, match=said):
        Zi2Zi(replace(parts, **changes), **options)
