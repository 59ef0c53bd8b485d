"""DCGAN's networks: the paper's widths, guidelines and sizes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from i2i.networks.dcgan import DCGAN, DCGANCritic


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_papers_widths_have_as_many_parameters_as_their_layers_need() -> None:
    kernels = 16 * (100 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    normalised = 2 * (1024 + 512 + 256 + 128)
    assert count(DCGAN()) == kernels + normalised + 3 == 12_658_435
    kernels = 16 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 1024)
    assert count(DCGANCritic()) == kernels + 2 * (256 + 512 + 1024) + 128 + 1 == 11_036_289


@pytest.mark.parametrize("size", [8, 16, 32, 128])
def test_any_power_of_two_from_8_on_is_made_and_judged(size: int) -> None:
    pictures = DCGAN(in_channels=3, size=size, channels=2)(torch.randn(2, 3))
    assert pictures.shape == (2, 3, size, size)
    output = DCGANCritic(size=size, channels=2)(pictures)
    assert output.score.shape == (2, 1, 1, 1)
    assert output.features[-1].shape[2:] == (4, 4)
    assert max(feature.shape[1] for feature in output.features) <= 8 * 2


@pytest.mark.parametrize("size", [4, 12, 48])
@pytest.mark.parametrize("network", [DCGAN, DCGANCritic])
def test_other_sizes_are_refused(network: type[nn.Module], size: int) -> None:
    with pytest.raises(ValueError, match=f"a power of two from 8 on, got {size}"):
        network(size=size)


def test_batch_norm_stands_everywhere_but_at_the_output_and_the_input() -> None:
    def normalised(parts: list[nn.Module]) -> list[bool]:
        return [any(isinstance(layer, nn.BatchNorm2d) for layer in part.modules()) for part in parts]

    generator = DCGAN(size=32, channels=2)
    assert normalised([generator.project, *generator.hidden, generator.last]) == [True, True, True, False]
    critic = DCGANCritic(size=32, channels=2)
    assert normalised([*critic.blocks, critic.score]) == [False, True, True, False]


@pytest.mark.parametrize("norm", ["none", "instance"])
def test_without_batch_norm_pictures_do_not_see_their_batch(norm: str) -> None:
    critic = DCGANCritic(size=8, channels=2, norm=norm)  # type: ignore[arg-type]
    pictures = torch.randn(3, 3, 8, 8)
    assert torch.allclose(critic(pictures).score[:1], critic(pictures[:1]).score, atol=1e-6)


def test_a_resize_generator_has_no_transposed_convolution_but_the_projection() -> None:
    network = DCGAN(size=16, channels=2, upsampling="resize")
    transposed = [name for name, part in network.named_modules() if isinstance(part, nn.ConvTranspose2d)]
    assert transposed == ["project.0"]


def test_the_critics_weights_are_as_wide_as_asked_for() -> None:
    torch.manual_seed(0)
    wide = DCGANCritic(in_channels=3, size=16, channels=64, norm="none", initialisation="he")
    for convolution, inputs in ((wide.blocks[0][0], 3), (wide.blocks[1][0], 64), (wide.score, 128)):
        weights = inputs * 16 * convolution.out_channels
        # He et al. 2015, equation 14, for a slope of 0.2; the spread of so many samples is known to 1 / sqrt(2 n).
        expected = math.sqrt(2 / (1 + 0.2**2) / (inputs * 16))
        assert convolution.weight.std().item() == pytest.approx(expected, rel=4 / math.sqrt(2 * weights))
        assert convolution.bias is not None and not convolution.bias.any()
    papers = DCGANCritic(in_channels=3, size=16, channels=64, norm="none")
    assert papers.blocks[1][0].weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_without_norms_a_picture_arrives_at_the_score_by_he_weights_alone() -> None:
    torch.manual_seed(0)
    pictures = torch.randn(64, 1, 16, 16)
    spread = {
        kind: DCGANCritic(in_channels=1, size=16, channels=24, norm="none", initialisation=kind)(pictures).score.std()  # type: ignore[arg-type]
        for kind in ("gaussian", "he")
    }
    # A layer with n inputs shrinks by 0.02 * sqrt(n) / 1.39 what He's keeps: in all by 0.06 * 0.28 * 0.40 = 1 / 150.
    assert spread["gaussian"] < 0.02 < 0.3 < spread["he"]
