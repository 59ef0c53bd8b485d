"""An encoder is a critic of any architecture with a code at its end."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from i2i.networks.autoencoder import Autoencoder
from i2i.networks.dcgan import DCGANCritic
from i2i.networks.layers.encoder import Encoder
from i2i.networks.mlp_critic import MLPCritic
from i2i.networks.patchgan import PatchGAN


@pytest.mark.parametrize(
    "critic",
    [
        PatchGAN(in_channels=3, channels=4, layers=1),
        MLPCritic(in_channels=3, size=16, channels=8),
        DCGANCritic(size=16, channels=4),
    ],
)
def test_a_picture_of_any_critic_becomes_one_code_and_no_score(critic: nn.Module) -> None:
    encoder = Encoder(critic, latent_channels=5)
    codes = encoder(torch.randn(2, 3, 16, 16))
    assert codes.shape == (2, 5)
    codes.square().sum().backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for name, p in encoder.named_parameters() if "bias" not in name
    )


def test_the_code_is_linear_in_the_mean_of_the_last_features() -> None:
    encoder = Encoder(PatchGAN(in_channels=1, channels=2, layers=1, norm="none"), latent_channels=3)
    pictures = torch.randn(2, 1, 12, 20)
    features = encoder.trunk(pictures).features[-1]
    expected = features.mean((2, 3)) @ encoder.code.weight.T + encoder.code.bias
    assert torch.allclose(encoder(pictures), expected, atol=1e-6)


def test_a_critic_without_a_last_layer_that_scores_is_refused() -> None:
    with pytest.raises(ValueError, match="a critic that ends in a convolution or a linear layer, got None"):
        Encoder(Autoencoder(in_channels=3, channels=4, depth=1, code=2), latent_channels=5)
