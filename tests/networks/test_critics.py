"""PatchGAN and PixelGAN: parameter counts and what one score sees."""

from __future__ import annotations

import pytest
import torch

from i2i.networks.patchgan import PatchGAN
from i2i.networks.pixelgan import PixelGAN


def test_the_papers_patchgan_has_the_known_number_of_parameters() -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(PatchGAN()) == 2_768_705
    assert count(PatchGAN(in_channels=3, norm="instance")) == 2_764_737


@pytest.mark.parametrize(("layers", "pixels"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_one_score_sees_the_patch_that_is_named(layers: int, pixels: int) -> None:
    network = PatchGAN(in_channels=1, channels=2, layers=layers, norm="none")
    assert network.receptive_field == pixels
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    picture = torch.zeros(1, 1, 3 * pixels, 3 * pixels, requires_grad=True)
    score = network(picture).score
    score[0, 0, score.shape[2] // 2, score.shape[3] // 2].backward()
    assert picture.grad is not None
    seen = picture.grad[0, 0].abs().sum(0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == pixels


def test_a_pixelgan_score_sees_its_own_pixel_alone() -> None:
    network = PixelGAN(in_channels=2, channels=4, norm="none")
    picture = torch.randn(1, 2, 5, 5, requires_grad=True)
    network(picture).score[0, 0, 2, 3].backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum(1)[0].nonzero().tolist() == [[2, 3]]
