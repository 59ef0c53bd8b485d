"""The methods that make pictures from noise: what their losses are, and that they learn."""

from __future__ import annotations

import pytest
import torch

from i2i.data.images import ImageBatch
from i2i.methods.method import Method
from i2i.training.engine import Engine
from tests.methods.conftest import BATCHES, Make


def steps(method: Method, engine: Engine, batch: ImageBatch, count: int) -> list[dict[str, float]]:
    losses = []
    for step in range(count):
        engine.begin(seed=0, step=step, rate_factor=1.0)
        logged = method.training_step(engine.batch(batch), engine)
        losses.append({name: float(loss) for name, loss in logged.items()})
    return losses


@pytest.fixture
def images() -> ImageBatch:
    batch: ImageBatch = BATCHES["gan"]()
    return batch


def test_a_gan_learns_the_colour_of_its_pictures(make: Make) -> None:
    method, engine = make(name="gan", latent_channels=3, learning_rate=1e-2)
    colour = torch.tensor([0.7, -0.5, 0.0]).view(1, 3, 1, 1).expand(8, 3, 16, 16)
    steps(method, engine, ImageBatch(colour.contiguous()), 150)
    made = method.generator(torch.randn(64, 3)).mean((0, 2, 3))
    assert made.tolist() == pytest.approx([0.7, -0.5, 0.0], abs=0.25)  # the players circle around it


def test_each_method_logs_the_losses_of_its_games(make: Make, images: ImageBatch) -> None:
    plain = {"d_real", "d_fake", "g_adversarial"}
    regularised = plain | {"g_metric", "g_mode"}
    games = {f"{name}_{game}" for name in plain for game in ("manifold", "diffusion")} | {"g_metric_manifold"}
    for name, expected in (("gan", plain), ("mode_regularised", regularised), ("mdgan", games)):
        assert set(steps(*make(name=name), images, 1)[0]) == expected


@pytest.mark.parametrize(
    ("name", "option", "logged"),
    [
        ("mode_regularised", "metric_weight", "g_metric"),
        ("mode_regularised", "mode_weight", "g_mode"),
        ("mdgan", "adversarial_weight", "g_adversarial_manifold"),
    ],
)
def test_a_weight_multiplies_its_loss(make: Make, images: ImageBatch, name: str, option: str, logged: str) -> None:
    one, three = (steps(*make(name=name, **{option: weight}), images, 1)[0][logged] for weight in (1.0, 3.0))
    assert one > 0
    assert three == pytest.approx(3 * one, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "share"),
    # MDGAN's diffusion game pulls the generator elsewhere at the same time.
    [("mode_regularised", {"metric_weight": 1000.0}, 0.5), ("mdgan", {"adversarial_weight": 0.0}, 0.9)],
)
def test_with_the_metric_alone_generator_and_encoder_rebuild_what_they_see(
    make: Make, images: ImageBatch, name: str, options: dict[str, float], share: float
) -> None:
    method, engine = make(name=name, latent_channels=4, learning_rate=4e-3, **options)

    def distance() -> float:
        with torch.no_grad():
            return float((method.generator(method.encoder(images.image)) - images.image).square().mean())

    before = distance()
    steps(method, engine, images, 150)
    assert distance() < share * before


def test_the_generator_does_not_play_when_a_stabiliser_says_so(make: Make, images: ImageBatch) -> None:
    from i2i.adversarial.stabilisers.critic_steps import CriticSteps

    method, engine = make(name="gan")
    method.duel._stabilisers.append(CriticSteps(count=2))
    assert ["g_adversarial" in logged for logged in steps(method, engine, images, 4)] == [False, True, False, True]
