"""The semi-supervised GAN: labels teach the critic classes, pictures without labels the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.conditioned import ConditionedBatch
from i2i.errors import I2IError
from i2i.methods.parts import Parts
from i2i.methods.semi_supervised import SemiSupervised
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
from tests.methods.test_from_noise import steps


@dataclass(frozen=True)
class Game:
    """A method on small pictures of grey, and its engine."""

    method: SemiSupervised
    engine: Engine

    def play(self, batch: ConditionedBatch, count: int = 1) -> list[dict[str, float]]:
        return steps(self.method, self.engine, batch, count)  # type: ignore[arg-type]


def game(*stabilisers: str, classes: int = 3, rate: float = 2e-3, **options: Any) -> Game:
    torch.manual_seed(0)
    parts = Parts(
        source_planes=0,
        target_planes=1,
        condition_numbers=classes,
        generator=lambda planes, out: MLP(in_channels=planes, out_channels=out, size=4, channels=8),
        discriminator=lambda planes: MLPCritic(in_channels=planes, size=4, channels=16),
        objective=NonSaturating,
        stabilisers=lambda: [STABILISERS[name]() for name in stabilisers],
    )
    method = SemiSupervised(parts, latent_channels=4, **options)
    settings = dict.fromkeys(method.players(), OptimiserSettings(learning_rate=rate))
    return Game(method, Engine(method.players(), settings=settings))


def batch(labels: Sequence[int]) -> ConditionedBatch:
    """Random pictures, brighter on another line for each number in turn."""
    pictures = torch.rand(len(labels), 1, 4, 4, generator=torch.Generator().manual_seed(1)) - 0.5
    for index in range(len(labels)):
        pictures[index, :, index % 3] += 0.5
    return ConditionedBatch(pictures, torch.tensor(labels))


def test_the_supervised_loss_is_the_cross_entropy_of_the_labelled_pictures() -> None:
    given = batch([2, -1, 0, -1])
    expected = cross_entropy(game().method.classify(given.image)[[0, 2]], torch.tensor([2, 0]))
    assert game().play(given)[0]["d_class"] == pytest.approx(float(expected), rel=1e-5)
    assert game(supervised_weight=3.0).play(given)[0]["d_class"] == pytest.approx(3 * float(expected), rel=1e-5)


def test_a_batch_without_labels_is_a_step_of_the_other_losses_alone() -> None:
    none, ignored = game(), game(supervised_weight=0.0)
    logged = none.play(batch([-1, -1, -1]))[0]
    assert logged["d_class"] == 0
    assert logged == ignored.play(batch([0, 1, 2]))[0]
    for one, two in zip(none.method.parameters(), ignored.method.parameters(), strict=True):
        assert torch.equal(one, two)


def test_with_the_non_saturating_game_the_unsupervised_loss_is_the_papers() -> None:
    given, played = batch([0, -1, -1]), game()
    z = played.method.classify(given.image).exp().sum(1)
    played.engine.begin(seed=0, step=0, rate_factor=1.0)
    with torch.no_grad():
        fake = played.method.generator(played.method.noise(given.image))  # the step's first draw
    z_fake = played.method.classify(fake).exp().sum(1)
    logged = played.play(given)[0]
    assert logged["d_real"] == pytest.approx(float(-(z / (z + 1)).log().mean()), rel=1e-5)
    assert logged["d_fake"] == pytest.approx(float(-(1 / (z_fake + 1)).log().mean()), rel=1e-5)


def test_few_labels_teach_the_classes_of_all() -> None:
    played, given = game("feature_matching"), batch([0, 1, 2, *[-1] * 21])
    logged = played.play(given, 150)
    assert logged[-1]["d_class"] < 0.1 < logged[0]["d_class"]
    truth = torch.arange(24) % 3
    assert (played.method.classify(given.image).argmax(1) == truth).float().mean() > 0.8


@pytest.mark.parametrize(
    ("stabilisers", "generator"),
    [
        (["feature_matching"], {"g_feature_matching"}),
        (["minibatch_discrimination", "weight_norm", "layer_noise", "instance_noise"], {"g_adversarial"}),
        (["feature_matching", "weight_norm"], {"g_feature_matching"}),
        (["history_pool", "spectral_norm"], {"g_adversarial"}),
    ],
)
def test_stabilisers_go_on_working(stabilisers: list[str], generator: set[str]) -> None:
    logged = game(*stabilisers).play(batch([0, -1, 2, -1]), 2)
    assert set(logged[-1]) == {"d_real", "d_fake", "d_class"} | generator


def test_classifying_is_free_of_noise_and_leaves_the_modes_as_they_were() -> None:
    method = game("layer_noise", "instance_noise").method
    pictures = batch([0, 1]).image
    assert torch.equal(method.classify(pictures), method.classify(pictures))
    assert method.classify(pictures).shape == (2, 3)
    assert all(part.training for part in method.modules())


def test_the_generator_is_not_steered() -> None:
    method = game().method
    assert method.condition(None) is None
    assert method.generator.latent_channels == method.latent_channels


def test_data_and_stabilisers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="needs data with domains"):
        game(classes=0)
    with pytest.raises(ValueError, match="supervised_weight is at least 0, got -1"):
        game(supervised_weight=-1)
    with pytest.raises(ValueError, match="leave out the stabiliser packing"):
        game("packing")
    with pytest.raises(I2IError, match=r"take data\.type domains"):
        game().play(ConditionedBatch(batch([0, 1]).image, torch.rand(2, 3)))
