"""InfoGAN: what its losses and its bound are, who learns from them, and what the card says of its codes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.images import ImageBatch
from i2i.images.card import ImageCard
from i2i.methods.infogan import LEAST_DEVIATION, InfoGAN
from i2i.methods.parts import Parts
from i2i.networks.dcgan import DCGAN, DCGANCritic
from i2i.networks.layers.critic_output import CriticOutput
from i2i.training.engine import Engine
from tests.methods.conftest import BATCHES, Make
from tests.methods.test_from_noise import steps


@pytest.fixture
def images() -> ImageBatch:
    batch: ImageBatch = BATCHES["infogan"]()
    return batch


def stabilised(*names: str, norm: Any = "instance") -> InfoGAN:
    """InfoGAN on DCGAN's networks, narrow, with stabilisers."""
    torch.manual_seed(0)
    parts = Parts(
        source_planes=0,
        target_planes=3,
        generator=lambda planes, out: DCGAN(in_channels=planes, out_channels=out, size=16, channels=4),
        discriminator=lambda planes: DCGANCritic(in_channels=planes, size=16, channels=4, norm=norm),
        objective=NonSaturating,
        stabilisers=lambda: [STABILISERS[name]() for name in names],
    )
    return InfoGAN(parts, latent_channels=4, categories=3, continuous=2)


def test_codes_are_one_hot_categories_and_uniform_numbers(make: Make) -> None:
    method, _ = make(name="infogan", categories=4, continuous=2)
    torch.manual_seed(0)
    codes = method.codes(torch.zeros(4000, 3, 2, 2))
    assert codes.shape == (4000, 6)
    assert set(codes[:, :4].unique().tolist()) == {0.0, 1.0}
    assert codes[:, :4].sum(1).eq(1).all()
    assert codes[:, :4].mean(0).tolist() == pytest.approx([0.25] * 4, abs=0.03)  # four standard errors
    numbers = codes[:, 4:]
    assert -1 <= float(numbers.min()) < -0.99 < 0.99 < float(numbers.max()) <= 1
    assert float(numbers.var()) == pytest.approx(1 / 3, abs=0.02)


def test_a_reader_that_knows_nothing_bounds_the_information_by_hand(make: Make, images: ImageBatch) -> None:
    method, engine = make(name="infogan", categories=10, continuous=1, category_weight=2.0, continuous_weight=0.5)
    for parameter in method.reader.last.parameters():
        nn.init.zeros_(parameter)  # equal logits, mean 0, deviation 1 + LEAST_DEVIATION
    engine.begin(seed=0, step=0, rate_factor=1.0)
    (codes,) = method.codes(images.image)[:, 10:].T  # the step's first draw
    logged = steps(method, engine, images, 1)[0]
    deviation = 1 + LEAST_DEVIATION
    surprise = float((codes.square() / (2 * deviation**2)).mean()) + math.log(deviation) + math.log(2 * math.pi) / 2
    assert logged["d_category"] == pytest.approx(2 * math.log(10), rel=1e-5)
    assert logged["d_code"] == pytest.approx(0.5 * surprise, rel=1e-5)
    # H(c) - E[-log Q]: nothing is told of the category, and less than nothing of the number.
    assert logged["mutual_information"] == pytest.approx(math.log(2) - surprise, rel=1e-4)


def test_a_reader_that_is_sure_and_right_bounds_it_by_the_entropy(make: Make) -> None:
    method, _ = make(name="infogan", categories=3, continuous=1)
    codes = torch.tensor([[1.0, 0, 0, 0.5], [0, 0, 1.0, -0.25]])

    class Oracle(nn.Module):
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return torch.cat((50 * codes[:, :3], codes[:, 3:], torch.full((2, 1), -50.0)), 1)

    method.reader = Oracle()
    surprise = method.surprise(CriticOutput(torch.zeros(2, 1), (torch.zeros(2, 8),)), codes)
    assert float(surprise["category"]) == pytest.approx(0, abs=1e-6)
    assert float(surprise["code"]) == pytest.approx(math.log(LEAST_DEVIATION) + math.log(2 * math.pi) / 2)


def test_both_players_are_told_of_the_codes(make: Make, images: ImageBatch) -> None:
    logged = steps(*make(name="infogan"), images, 1)[0]
    told = {f"{player}_{code}" for player in ("d", "g") for code in ("category", "code")}
    assert set(logged) == {"d_real", "d_fake", "g_adversarial", "mutual_information"} | told
    assert set(steps(*make(name="infogan", continuous=0), images, 1)[0]).isdisjoint({"d_code", "g_code"})
    assert set(steps(*make(name="infogan", categories=0), images, 1)[0]).isdisjoint({"d_category", "g_category"})


@pytest.mark.parametrize(
    ("stabilisers", "norm"),
    [
        ([], "instance"),
        (["minibatch_discrimination"], "instance"),
        (["virtual_batch_norm"], "batch"),
        (["minibatch_stddev", "layer_noise", "spectral_norm"], "instance"),
        (["weight_norm"], "none"),
    ],
)
def test_the_critics_trunk_is_the_readers_however_it_is_stabilised(stabilisers: list[str], norm: str) -> None:
    method = stabilised(*stabilisers, norm=norm)
    judged = method.duel.judge(torch.randn(4, 3, 16, 16))
    sum(method.surprise(judged.output, method.codes(judged.images)).values()).backward()  # type: ignore[union-attr]
    trunk = [p for key, p in method.duel.discriminator.named_parameters() if "blocks" in key and p.ndim == 4]
    head = [p for key, p in method.duel.discriminator.named_parameters() if "score" in key.split(".")]
    assert trunk
    assert head
    assert all(p.grad is not None and bool(p.grad.any()) for p in [*trunk, *method.reader.parameters()])
    assert all(p.grad is None for p in head)


def test_the_critics_stabilisers_leave_the_reader_alone() -> None:
    reader = dict(stabilised("spectral_norm").reader.named_parameters())
    assert set(reader) == {"hidden.weight", "hidden.bias", "last.weight", "last.bias"}


def test_generator_and_reader_come_to_agree_on_codes(make: Make) -> None:
    method, engine = make(
        name="infogan",
        latent_channels=1,
        categories=4,
        continuous=1,
        category_weight=10.0,
        continuous_weight=1.0,
        learning_rate=4e-3,
    )
    batch = ImageBatch(torch.zeros(16, 3, 16, 16))
    told = [logged["mutual_information"] for logged in steps(method, engine, batch, 80)]
    assert told[0] < 0 < 1 < sum(told[-10:]) / 10  # of log 4 for the category and something for the number
    codes = method.codes(torch.zeros(64, 3, 16, 16))
    read = method.read(method.generator(torch.randn(64, 1), codes).detach())
    assert read.shape == (64, 5)
    assert read[:, :4].sum(1).tolist() == pytest.approx([1.0] * 64)
    assert (read[:, :4].argmax(1) == codes[:, :4].argmax(1)).float().mean() > 0.9


def test_the_card_says_how_to_steer(make: Make) -> None:
    condition = make(name="infogan", categories=3, continuous=2)[0].condition(None)
    assert condition.kind == "attributes"
    assert condition.names == ("category_0", "category_1", "category_2", "code_0", "code_1")
    assert condition.exclusive_groups == (("category_0", "category_1", "category_2"),)
    assert condition.ranges == ((0, 1), (0, 1), (0, 1), (-1, 1), (-1, 1))
    card = ImageCard.model_validate(
        {"name": "x", "network": {"type": "mlp"}, "method": "infogan", "latent": 4, "condition": condition}
    )
    assert ImageCard.from_json(card.to_json()).condition == condition
    assert make(name="infogan", categories=0)[0].condition(None).exclusive_groups == ()


@pytest.mark.parametrize("options", [{"categories": 1}, {"continuous": -1}, {"categories": 0, "continuous": 0}])
def test_codes_that_tell_nothing_are_refused(make: Make, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="2 or more categories"):
        make(name="infogan", **options)


@pytest.mark.parametrize("stabiliser", ["packing", "history_pool"])
def test_other_pictures_than_those_whose_codes_are_known_are_refused(stabiliser: str) -> None:
    with pytest.raises(ValueError, match="leave out packing, history_pool"):
        stabilised(stabiliser)


def test_the_reader_belongs_to_the_discriminators_player(make: Make, images: ImageBatch) -> None:
    method, engine = make(name="infogan")
    assert isinstance(engine, Engine)
    mine = {id(parameter) for parameter in method.players()["discriminator"].parameters()}
    assert {id(parameter) for parameter in method.reader.parameters()} < mine
