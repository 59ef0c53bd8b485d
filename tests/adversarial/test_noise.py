"""Instance noise and layer noise: how strong, where, and for how long."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from i2i.adversarial.stabilisers.decay import DecayingSigma
from i2i.adversarial.stabilisers.instance_noise import InstanceNoise
from i2i.adversarial.stabilisers.layer_noise import LayerNoise
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.gaussian_noise import GaussianNoise
from i2i.networks.patchgan import PatchGAN
from tests.adversarial.parts import Bowl, critic, duel, pix2pix, train

both = pytest.mark.parametrize("kind", [InstanceNoise, LayerNoise])


def test_noise_falls_in_a_straight_line_and_stays_at_nothing() -> None:
    fading, lasting = DecayingSigma(sigma=0.4, decay_steps=4), DecayingSigma(sigma=0.4, decay_steps=0)
    seen = []
    for _ in range(6):
        seen.append(fading.now())
        fading.advance()
        lasting.advance()
    assert seen == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0, 0.0])
    assert lasting.now() == 0.4


def test_the_image_gets_noise_of_that_strength_and_the_condition_none() -> None:
    torch.manual_seed(0)
    image, condition = torch.zeros(4, 3, 64, 64), torch.zeros(4, 2, 64, 64)
    noisy, beside = InstanceNoise(sigma=0.25).discriminator_input(image, condition)
    # 49,152 draws: their deviation is known to a third of a percent.
    assert float(noisy.std()) == pytest.approx(0.25, rel=0.02)
    assert abs(float(noisy.mean())) < 0.01
    assert beside is condition


def test_images_are_seen_clean_when_the_noise_has_faded() -> None:
    stabiliser = InstanceNoise(sigma=0.5, decay_steps=2)
    image = torch.randn(1, 3, 4, 4)
    for _ in range(2):
        assert not torch.equal(stabiliser.discriminator_input(image, None)[0], image)
        stabiliser.after_discriminator_step(nn.Identity())
    assert torch.equal(stabiliser.discriminator_input(image, None)[0], image)


def test_every_layer_but_the_last_gets_noise_and_keeps_its_place() -> None:
    network = PatchGAN(in_channels=3, channels=4, layers=2, norm="batch")
    plain = [type(layer) for layer in network.modules() if not isinstance(layer, nn.Sequential)]
    LayerNoise().discriminator_network(network)
    layers = [type(layer) for layer in network.modules() if not isinstance(layer, nn.Sequential)]
    assert [layer for layer in layers if layer is not GaussianNoise] == plain
    assert [one for one, two in itertools.pairwise(layers) if two is GaussianNoise] == [nn.Conv2d] * 3
    assert isinstance(network.score, nn.Conv2d)


def test_each_part_of_a_critic_keeps_a_clean_last_layer() -> None:
    parts = nn.ModuleList([critic(3), critic(3)])
    LayerNoise().discriminator_network(parts)
    assert all(isinstance(part.score, nn.Conv2d) for part in parts)
    assert sum(isinstance(layer, GaussianNoise) for layer in parts.modules()) == 4


def test_layers_are_noisy_in_training_only() -> None:
    torch.manual_seed(0)
    network, image = critic(3), torch.randn(1, 3, 16, 16)
    expected = network.eval()(image).score
    made = duel(network, LayerNoise(sigma=0.3)).train()
    assert not torch.equal(made.judge(image).score, expected)
    made.eval()
    assert torch.equal(made.judge(image).score, expected)


def test_a_noise_layer_adds_its_sigma() -> None:
    torch.manual_seed(0)
    layer = GaussianNoise(0.25)
    assert float(layer(torch.zeros(50_000)).std()) == pytest.approx(0.25, rel=0.02)
    assert layer(torch.zeros(3, dtype=torch.bfloat16)).dtype == torch.bfloat16


@both
def test_real_and_fake_images_are_noisy_in_both_turns(kind: type[Stabiliser]) -> None:
    torch.manual_seed(0)
    made = duel(critic(3), kind())
    image = torch.randn(2, 3, 16, 16)
    one, two = (made.discriminator_losses(image, image)[0] for _ in range(2))
    assert one["d_real"] != two["d_real"]
    assert one["d_fake"] != two["d_fake"]
    assert made.generator_losses(image, real=image) != made.generator_losses(image, real=image)


@both
def test_noise_fades_with_the_steps_of_a_training(kind: type[Stabiliser]) -> None:
    method, engine = pix2pix([kind(sigma=0.4, decay_steps=4)])  # type: ignore[call-arg]
    train(method, engine, 3)
    stabiliser = method.duel.stabilisers[0]
    assert stabiliser.noise.now() == pytest.approx(0.1)  # type: ignore[union-attr, operator]
    inside = [layer for layer in method.duel.discriminator.modules() if isinstance(layer, GaussianNoise)]
    assert [float(layer.sigma) for layer in inside] == pytest.approx([0.1] * len(inside))
    assert len(inside) == (2 if kind is LayerNoise else 0)


def test_a_critic_of_one_layer_is_refused() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.only = nn.Conv2d(3, 1, 1)

        def forward(self, planes: torch.Tensor) -> CriticOutput:
            return CriticOutput(self.only(planes))

    for network in (Flat(), Bowl()):
        with pytest.raises(ValueError, match="LayerNoise wants a critic of several layers"):
            duel(network, LayerNoise())


@both
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sigma": 0.0}, "sigma is a standard deviation above 0, got 0.0"),
        ({"sigma": float("nan")}, "got nan"),
        ({"decay_steps": -1}, "decay_steps is a number of steps, or 0 for no decay; got -1"),
    ],
)
def test_nonsense_is_refused(kind: type[Stabiliser], options: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind(**options)
