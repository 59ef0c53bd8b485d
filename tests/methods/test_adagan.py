"""AdaGAN: its weights, its phases, and that a later component makes what the first ones miss."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.objectives import OBJECTIVES
from i2i.data.images import ImageBatch
from i2i.methods.adagan import AdaGAN, threshold, weights
from i2i.methods.parts import Parts
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
from tests.methods.conftest import BATCHES, Make


def test_two_modes_of_which_one_is_covered_twice_give_all_weight_to_the_other() -> None:
    density = torch.tensor([2.0, 0.0, 2.0, 0.0])
    # beta = 1/2: lambda = (4 * 1/2 + 0) / 2 = 1 with the two that are missing, and 1 - 1/2 * 2 = 0 for the others.
    assert threshold(density, share=0.5).item() == pytest.approx(1.0)
    assert weights(density, threshold(density, share=0.5), share=0.5).tolist() == pytest.approx([0, 2, 0, 2])


def test_what_a_perfect_mixture_covers_is_wanted_evenly() -> None:
    density = torch.ones(5)
    # lambda = (5 / 3 + 2/3 * 5) / 5 = 1, and (1 - 2/3) / (1/3) = 1.
    assert threshold(density, share=1 / 3).item() == pytest.approx(1.0)
    assert weights(density, torch.tensor(1.0), share=1 / 3).tolist() == pytest.approx([1.0] * 5)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_weights_have_mean_one_whatever_the_densities(share: float) -> None:
    density = torch.empty(200, dtype=torch.float64).exponential_(generator=torch.Generator().manual_seed(0)) ** 2
    found = weights(density, threshold(density, share=share), share=share)
    assert found.mean().item() == pytest.approx(1.0, abs=1e-6)
    assert (found < 1e-9).any() and (found > 1).any()


def test_components_play_one_after_the_other_and_are_frozen_then(make: Make) -> None:
    method, engine = make(name="adagan", components=2, steps_per_component=2, learning_rate=1e-2)
    moved = []
    for step in range(6):
        before = [[p.detach().clone() for p in part.parameters()] for part in method.generator.components]
        engine.begin(seed=0, step=step, rate_factor=1.0)
        method.training_step(engine.batch(BATCHES["adagan"]()), engine)
        parts = zip(method.generator.components, before, strict=True)
        moved.append(
            [any(not torch.equal(p, q) for p, q in zip(part.parameters(), old, strict=True)) for part, old in parts]
        )
        assert int(method.generator.playing) == sum(step // 2 >= t for t in range(2))
    assert moved == [[True, False]] * 2 + [[False, True]] * 4  # the last one goes on


def test_pictures_that_are_covered_are_left_out_of_the_batch(make: Make) -> None:
    method, _ = make(name="adagan", memory=4)
    real = torch.arange(4.0).view(4, 1, 1, 1)
    logits = torch.tensor([-20.0, 20.0, -20.0, 20.0])  # the classifier is sure which of them the mixture makes
    drawn = method._missed(real, logits, share=0.5)
    assert len(drawn) == 4
    assert set(drawn.flatten().tolist()) <= {1.0, 3.0}


def test_the_first_component_sees_the_data_as_they_are(make: Make) -> None:
    method, _ = make(name="adagan", memory=3)
    real = torch.arange(2.0).view(2, 1, 1, 1)
    assert torch.equal(method._missed(real, torch.tensor([0.0, 0.0]), share=1.0), real)
    assert method.covered.tolist() == [1.0, 1.0, 0.0]  # the newest first, and nothing covered before


def test_the_second_component_makes_the_mode_that_the_first_one_misses() -> None:
    """Two points, and components that can make one each: generators without noise."""

    class Point(nn.Module):
        latent_channels, size = 1, 1

        def __init__(self) -> None:
            super().__init__()
            self.place = nn.Parameter(torch.tensor(0.4))

        def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
            return (0.05 * latent + self.place)[:, :, None, None]

    torch.manual_seed(0)
    parts = Parts(
        source_planes=0,
        target_planes=1,
        generator=lambda planes, out: Point(),
        discriminator=lambda planes: MLPCritic(in_channels=planes, size=1, channels=16, gain=1.4),
        objective=OBJECTIVES["non_saturating"],
    )
    method = AdaGAN(parts, latent_channels=1, components=2, steps_per_component=200)
    settings = dict.fromkeys(method.players(), OptimiserSettings(learning_rate=1e-2))
    engine = Engine(method.players(), settings=settings)
    for step in range(400):
        engine.begin(seed=0, step=step, rate_factor=1.0)
        points = torch.randn(64, 1, 1, 1) * 0.05 + torch.tensor([-1.0, 1.0])[torch.arange(64) % 2].view(64, 1, 1, 1)
        method.training_step(ImageBatch(points), engine)
    first, second = (component.place.item() for component in method.generator.components)
    assert abs(abs(first) - 1) < 0.4
    assert second == pytest.approx(-first, abs=0.5)


def test_an_autoencoder_cannot_classify() -> None:
    parts = Parts(
        source_planes=0,
        target_planes=1,
        generator=lambda planes, out: MLP(in_channels=planes, out_channels=out),
        discriminator=lambda planes: Autoencoder(in_channels=planes, channels=4, depth=1, code=2),
        objective=OBJECTIVES["began"],
    )
    with pytest.raises(ValueError, match="score is no logit"):
        AdaGAN(parts)


@pytest.mark.parametrize("option", ["latent_channels", "components", "steps_per_component", "memory"])
def test_counts_below_one_are_refused(make: Make, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is 1 or more, got 0"):
        make(name="adagan", **{option: 0})
