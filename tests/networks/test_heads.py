"""Heads of a critic beside its score, and in its place: classes, and a reader of codes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from i2i.adversarial.stabilisers import STABILISERS
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.dcgan import DCGANCritic
from i2i.networks.layers.class_scores import ClassScores
from i2i.networks.layers.code_reader import CodeReader
from i2i.networks.layers.last_layer import shaped_like
from i2i.networks.mlp_critic import MLPCritic
from i2i.networks.patchgan import PatchGAN
from i2i.networks.pixelgan import PixelGAN

CRITICS = {
    "patchgan": lambda: PatchGAN(in_channels=3, channels=4, layers=1, norm="instance"),
    "pixelgan": lambda: PixelGAN(in_channels=3, channels=4, norm="instance"),
    "mlp": lambda: MLPCritic(in_channels=3, size=16, channels=8),
    "dcgan": lambda: DCGANCritic(size=16, channels=4, norm="instance"),
}
every_critic = pytest.mark.parametrize("name", list(CRITICS))


@every_critic
def test_the_sigmoid_of_the_score_is_z_over_z_plus_one(name: str) -> None:
    critic = ClassScores(CRITICS[name](), classes=3).double()
    pictures = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    output = critic(pictures)
    z = critic.critic(pictures).score.exp().sum(1, keepdim=True)
    assert torch.allclose(output.score.sigmoid(), z / (z + 1))
    # A softmax over K + 1 logits, the last of which is 0, says the same.
    logits = critic.critic(pictures).score
    real = torch.cat((logits, torch.zeros_like(logits[:, :1])), 1).softmax(1)[:, :3].sum(1, keepdim=True)
    assert torch.allclose(output.score.sigmoid(), real)


@every_critic
def test_a_critic_with_classes_scores_in_the_shape_it_had_and_keeps_its_features(name: str) -> None:
    plain = CRITICS[name]()(torch.zeros(2, 3, 16, 16))
    output = ClassScores(CRITICS[name](), classes=5)(torch.zeros(2, 3, 16, 16))
    assert output.score.shape == plain.score.shape
    assert [part.shape for part in output.features] == [part.shape for part in plain.features]
    assert output.classes is not None
    assert output.classes.shape == (2, 5)


def test_the_logits_of_a_picture_are_the_mean_over_its_patches() -> None:
    critic = ClassScores(CRITICS["patchgan"](), classes=2)
    pictures = torch.randn(1, 3, 16, 16)
    assert torch.allclose(critic(pictures).classes, critic.critic(pictures).score.mean((2, 3)))


@pytest.mark.parametrize("stabiliser", ["minibatch_discrimination", "minibatch_stddev", "weight_norm", "spectral_norm"])
@every_critic
def test_stabilisers_change_its_layers_as_those_of_any_critic(name: str, stabiliser: str) -> None:
    critic = STABILISERS[stabiliser]().discriminator_network(ClassScores(CRITICS[name](), classes=4))
    output = critic(torch.randn(2, 3, 16, 16))
    assert output.classes.shape == (2, 4)
    output.score.sum().backward()
    assert all(parameter.grad is not None for parameter in critic.parameters())


def test_layer_noise_leaves_the_logits_alone() -> None:
    torch.manual_seed(0)
    critic = STABILISERS["layer_noise"](sigma=100.0).discriminator_network(ClassScores(CRITICS["mlp"](), classes=4))
    assert isinstance(critic.critic.score, nn.Linear)
    assert not torch.equal(critic(torch.ones(1, 3, 16, 16)).classes, critic(torch.ones(1, 3, 16, 16)).classes)


@every_critic
def test_a_reader_reads_the_last_features_of_any_critic(name: str) -> None:
    critic = CRITICS[name]()
    reader = CodeReader(critic, outputs=7, channels=6)
    codes = reader(critic(torch.randn(2, 3, 16, 16)).features[-1])
    assert codes.shape == (2, 7)
    codes.square().sum().backward()
    trunk = [p for key, p in critic.named_parameters() if not key.startswith("score") and "bias" not in key]
    assert all(p.grad is not None and bool(p.grad.any()) for p in [*trunk, *reader.parameters()])
    assert critic.score.weight.grad is None  # type: ignore[union-attr]


def test_a_layer_shaped_like_another_has_its_kernel_and_spread_and_no_weight_of_it() -> None:
    torch.manual_seed(0)
    old = nn.Conv2d(8, 1, 4, stride=2, padding=1)
    nn.init.normal_(old.weight, 0, 0.02)
    new = shaped_like(old, 200)
    assert isinstance(new, nn.Conv2d)
    assert (new.weight.shape, new.stride, new.padding, new.out_channels) == ((200, 8, 4, 4), (2, 2), (1, 1), 200)
    assert float(new.weight.detach().std()) == pytest.approx(
        float(old.weight.detach().square().mean().sqrt()), rel=0.05
    )
    assert new.bias is not None
    assert new.bias.shape == (200,)
    assert not new.bias.any()


@pytest.mark.parametrize("head", [lambda critic: ClassScores(critic, classes=2), lambda c: CodeReader(c, outputs=2)])
def test_a_critic_without_a_last_layer_that_scores_is_refused(head) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="ends in a convolution or a linear layer `score`, got None"):
        head(Autoencoder(in_channels=3, channels=4, depth=1, code=2))
