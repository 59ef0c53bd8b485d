"""StarGAN: what its losses are made of, who is told what, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from i2i.adversarial.objectives.wasserstein import Wasserstein
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.conditioned import ConditionedBatch
from i2i.errors import I2IError
from i2i.images.card import Condition, NetworkSpec
from i2i.methods.parts import Parts
from i2i.methods.stargan import StarGAN, shuffled
from i2i.networks import NETWORKS
from i2i.networks import stargan as networks
from i2i.networks.layers.label_sets import LabelSet
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
from i2i.training.watch import Watch

DOMAINS = Condition(kind="domains", names=("dark", "grey", "bright"))
ATTRIBUTES = Condition(kind="attributes", names=("smile", "glasses"))
CRITIC = partial(networks.StarGANCritic, size=8, channels=4, layers=2)


def game(
    condition: Condition | None = DOMAINS,
    *,
    stabilisers: tuple[Any, ...] = (),
    label_sets: tuple[LabelSet, ...] = (),
    critic: Callable[..., Any] = CRITIC,
    **options: Any,
) -> tuple[StarGAN, Engine]:
    """The method on small pictures of grey, and its engine."""
    torch.manual_seed(0)
    parts = Parts(
        source_planes=0,
        target_planes=1,
        condition=condition,
        label_sets=label_sets,
        condition_numbers=len(condition.names) if condition else 0,
        generator=lambda planes, out, condition_channels: networks.StarGAN(
            in_channels=planes, out_channels=out, condition_channels=condition_channels, channels=4, blocks=1
        ),
        discriminator=lambda planes, condition_channels: critic(
            in_channels=planes, condition_channels=condition_channels
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
    """The domains that the generator is asked for, from now on."""
    seen: list[Tensor] = []

    def keep(module: Any, given: tuple[Tensor, Tensor]) -> None:
        seen.append(given[1].argmax(1) if given[1].ndim == 2 else given[1])

    method.generator.register_forward_pre_hook(keep)
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


def test_differences_tell_what_changes_on_the_way_there_and_its_opposite_on_the_way_back() -> None:
    method, engine = game(ATTRIBUTES, differences=True)
    told: list[Tensor] = []
    method.generator.register_forward_pre_hook(lambda module, given: told.append(given[1]))
    nan = float("nan")
    labels = [[1.0, 0.0], [0.0, 0.0], [1.0, nan], [0.0, 1.0]]
    play(method, engine, batch(labels), count=3)
    there, back = torch.stack(told[::2]), torch.stack(told[1::2])
    assert torch.equal(there, -back) and not there.isnan().any()
    assert {-1.0, 0.0, 1.0} == set(there.unique().tolist())
    # The other labels of the batch less a picture's own; of one that is not known nothing is to change.
    assert (there[:, 0, 0] <= 0).all() and (there[:, 0, 1] >= 0).all()
    assert (there[:, 2, 1] == 0).all()


def test_what_is_shipped_of_differences_is_told_of_them() -> None:
    method, _ = game(ATTRIBUTES, differences=True)
    assert method.generators()["a2b"].differences
    critic = NetworkSpec(type="stargan_critic", arguments={"in_channels": 1, "size": 8, "channels": 4, "layers": 2})
    translator = {"in_channels": 1, "out_channels": 1, "condition_channels": 2, "channels": 4, "blocks": 1}
    shipped = method.shipped(NetworkSpec(type="stargan", arguments=translator), discriminator=critic)
    assert NETWORKS[shipped.type](**shipped.arguments).differences


def test_a_conditional_critic_sees_real_pictures_and_translations_beside_the_domain_of_both() -> None:
    method, engine = game(conditional=True, classification_weight=0)
    given = batch([0, 1, 2, 2])
    seen: list[Tensor] = []
    method.duel.discriminator.register_forward_pre_hook(lambda _, shown: seen.append(shown[0].detach()))
    wanted = asked_for(method)  # there, and in the generator's turn back again
    play(method, engine, given, count=4)
    turns = zip(*[iter(seen)] * 3, wanted[::2], strict=True)  # the critic's on both, then the generator's
    for real, fake, judged, domains in turns:
        planes, pictures = real[:, :3], real[:, 3:]
        for plane, picture in zip(planes, pictures, strict=True):
            (index,) = (given.image == picture).flatten(1).all(1).nonzero().flatten().tolist()
            assert torch.equal(plane, torch.eye(3)[given.condition[index]][:, None, None].expand(3, 8, 8))
        assert torch.equal(planes[:, :, 0, 0].argmax(1), domains)
        assert torch.equal(fake[:, :3], planes)
        assert torch.equal(judged, fake)
        assert not torch.equal(fake[:, 3:], pictures)


def test_a_critic_with_branches_is_trained_beside_the_domain_alone() -> None:
    branched = partial(CRITIC, branches=True)
    method, engine = game(conditional=True, classification_weight=0, critic=branched)
    logged = play(method, engine, batch([0, 1, 2, 2]))
    assert set(logged[0]) >= {"d_real", "d_fake", "g_adversarial", "g_reconstruction"}
    assert method.duel.discriminator.score.out_channels == 3
    with pytest.raises(ValueError, match="branches"):
        game(critic=branched)


def played_standing_still(method: StarGAN, engine: Engine) -> tuple[ConditionedBatch, Tensor, dict[str, float]]:
    """A step by which neither player learns, so that what they make and say can be asked for afterwards: gives the
    batch, what was asked for, and the losses.
    """
    for optimiser in engine.settings:
        engine.settings[optimiser] = OptimiserSettings(learning_rate=1e-30)
    seen = asked_for(method)
    given = batch([0, 1, 2, 2])
    logged = play(method, engine, given)[0]
    return given, seen[0], logged


def test_a_critic_with_branches_classifies_the_real_pictures_that_it_sees_as_what_they_are() -> None:
    branched = partial(CRITIC, branches=True, class_patches=True)
    method, engine = game(conditional=True, critic=branched)
    given, asked, logged = played_standing_still(method, engine)
    with torch.no_grad():
        planes = torch.eye(3)[given.condition][:, :, None, None].expand(-1, -1, 8, 8)
        real = method.duel.discriminator(torch.cat((planes, given.image), 1)).classes
        fake = method.duel.discriminator(torch.cat((planes, method.generator(given.image, asked)), 1)).classes
    assert logged["d_class"] == pytest.approx(float(cross_entropy(real, given.condition)), rel=1e-4)
    assert logged["g_class"] == pytest.approx(float(cross_entropy(fake, asked)), rel=1e-4)


def test_the_generator_is_judged_by_the_condition_it_was_asked_for_and_by_the_way_back() -> None:
    method, engine = game()
    given, asked, logged = played_standing_still(method, engine)
    with torch.no_grad():
        fake = method.generator(given.image, asked)
        output = method.duel.discriminator(fake)
        again = method.generator(fake, given.condition)
    assert logged["g_class"] == pytest.approx(float(cross_entropy(output.classes, asked)), rel=1e-4)
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
        (DOMAINS, {"differences": True}, "leave differences out"),
        (DOMAINS, {"conditional": True}, "cannot learn to tell it: set method.classification_weight 0"),
        (ATTRIBUTES, {"conditional": True, "classification_weight": 0}, "leave conditional out"),
        (ATTRIBUTES, {"stabilisers": (STABILISERS["spectral_norm"](),)}, "SpectralNorm changes it; leave it out"),
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


def test_with_attributes_the_translator_reads_what_is_to_stay_off_the_picture() -> None:
    method, engine = game(ATTRIBUTES)
    given = batch([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    play(method, engine, given)
    (editor,) = method.generators().values()
    with torch.no_grad():
        read = (method.duel.discriminator(given.image).classes > 0).float()
        kept = editor(given.image, torch.full((3, 2), torch.nan))
        assert torch.equal(kept, method.generator(given.image, read))
        read[:, 1] = 1.0
        changed = editor(given.image, torch.tensor([[torch.nan, 1.0]]).repeat(3, 1))
        assert torch.equal(changed, method.generator(given.image, read))
    # Nothing is stored twice, and averaging one network averages both.
    assert sum(p.numel() for p in method.parameters()) == sum(p.numel() for p in editor.parameters())


def test_the_critic_inside_the_model_is_watched_as_a_critic_and_not_as_a_generator() -> None:
    for condition in (DOMAINS, ATTRIBUTES):
        watch = Watch(*game(condition), None, every=1, translates=True)
        assert watch.health.generators == ("generator",)


def test_with_attributes_a_restored_method_takes_the_same_next_step() -> None:
    given = batch([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    one, two = game(ATTRIBUTES), game(ATTRIBUTES)
    play(*one, given, count=2)
    two[0].load_state_dict(one[0].state_dict())
    two[1].load_state(one[1].state())
    assert play(*one, given) == play(*two, given)


def test_what_is_shipped_can_be_built_again() -> None:
    for condition in (DOMAINS, ATTRIBUTES):
        method, _ = game(condition)
        generator = NetworkSpec(
            type="stargan",
            arguments={
                "in_channels": 1,
                "out_channels": 1,
                "condition_channels": len(condition.names),
                "channels": 4,
                "blocks": 1,
            },
        )
        critic = NetworkSpec(type="stargan_critic", arguments={"size": 8, "channels": 4, "layers": 2})
        spec = method.shipped(generator, discriminator=critic)
        (shipped,) = method.generators().values()
        NETWORKS[spec.type](**spec.arguments).load_state_dict(shipped.state_dict(), strict=True)


JOINT = Condition(kind="attributes", names=("smile", "glasses", "dark", "grey", "bright"))
SETS = (LabelSet(2), LabelSet(3, exclusive=True))
NAN = float("nan")
BOTH = [
    [1.0, 0.0, NAN, NAN, NAN],
    [NAN, NAN, 0.0, 1.0, 0.0],
    [0.0, 0.0, NAN, NAN, NAN],
    [NAN, NAN, 1.0, 0.0, 0.0],
    [1.0, 1.0, NAN, NAN, NAN],
    [NAN, NAN, 0.0, 0.0, 1.0],
]


def test_of_several_sets_a_picture_is_asked_for_labels_of_its_own_and_told_which_they_are() -> None:
    method, engine = game(JOINT, label_sets=SETS)
    seen: list[Tensor] = []
    method.generator.register_forward_pre_hook(lambda module, given: seen.append(given[1].clone()))
    play(method, engine, batch(BOTH), count=3)
    rows = torch.tensor(BOTH).nan_to_num()
    for wanted, back in zip(seen[::2], seen[1::2], strict=True):
        assert wanted[:, 5:].tolist() == back[:, 5:].tolist() == [[1.0, 0.0], [0.0, 1.0]] * 3
        assert torch.equal(back[:, :5], rows)
        for own in (slice(0, None, 2), slice(1, None, 2)):
            assert sorted(wanted[own, :5].tolist()) == sorted(rows[own].tolist())
    assert any(not torch.equal(wanted[:, :5], rows) for wanted in seen[::2])


def test_the_critic_learns_the_labels_of_the_set_that_a_picture_is_of_and_no_others() -> None:
    method, engine = game(JOINT, label_sets=SETS)
    given = batch(BOTH)
    with torch.no_grad():
        logits = method.duel.discriminator(given.image).classes
    one = binary_cross_entropy_with_logits(logits[::2, :2], given.condition[::2, :2], reduction="sum")
    other = cross_entropy(logits[1::2, 2:], torch.tensor([1, 0, 2]), reduction="sum")
    assert play(method, engine, given)[0]["d_class"] == pytest.approx(float(one + other) / 6, rel=1e-5)


def test_a_set_that_is_not_in_the_batch_adds_nothing() -> None:
    method, engine = game(JOINT, label_sets=SETS)
    logged = play(method, engine, batch(BOTH[::2]))[0]
    assert 0 < logged["d_class"] < 10


def test_an_order_keeps_every_row_in_its_own_set_and_is_drawn_anew() -> None:
    torch.manual_seed(0)
    sets = torch.tensor([[True, False], [False, True], [False, True], [True, False], [True, False]])
    orders = [shuffled(sets).tolist() for _ in range(60)]
    for order in orders:
        assert sorted(order) == list(range(5))
        assert {order[0], order[3], order[4]} == {0, 3, 4}
    assert len({tuple(order) for order in orders}) == 3 * 2 * 2  # every order there is
