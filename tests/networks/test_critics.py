"""Discriminators: parameter counts, what one score sees and what it says."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from i2i.networks.autoencoder import Autoencoder
from i2i.networks.patchgan import PatchGAN
from i2i.networks.pixelgan import PixelGAN


def test_the_papers_patchgan_has_the_known_number_of_parameters() -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(PatchGAN()) == 2_768_705
    assert count(PatchGAN(in_channels=3, norm="instance")) == 2_764_737


def test_without_norm_signals_come_through_a_patchgan_as_strong_as_they_went_in() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        features = PatchGAN(in_channels=3, channels=32, norm="none")(torch.randn(4, 3, 64, 64)).features
    for planes in features:
        assert 0.3 < float(planes.square().mean().sqrt()) < 1.5


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


def test_the_autoencoder_has_as_many_parameters_as_its_layers_need() -> None:
    def convolution(before: int, after: int, side: int = 3) -> int:
        return before * after * side * side + after

    widths = [6, 64, 128, 192, 256, 320]
    encoder = sum(convolution(a, b) + convolution(b, b) for a, b in pairwise(widths))
    bottleneck = convolution(320, 64, side=1) + convolution(64, 64, side=1)
    expected = encoder + bottleneck + 4 * 2 * convolution(64, 64) + convolution(64, 6)
    assert expected == 3_831_046
    assert sum(parameter.numel() for parameter in Autoencoder().parameters()) == expected


def test_an_autoencoder_that_paints_one_grey_scores_by_the_distance_to_it() -> None:
    network = Autoencoder(in_channels=2, channels=3, depth=2, code=1)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(network.decoder[-1].bias, 0.25)
    planes = torch.tensor([1.0, 0.25]).view(2, 1, 1, 1).expand(2, 2, 8, 4).clone()
    planes[1, 0, 0, 0] = -1.35  # one of 64 values is 1.6 off
    score = network(planes).score
    assert score.shape == (2, 1)
    assert score[:, 0].tolist() == pytest.approx([-0.75, -0.025])


def test_an_autoencoder_can_learn_to_rebuild_what_it_sees_often() -> None:
    torch.manual_seed(0)
    network = Autoencoder(in_channels=1, channels=8, depth=1, code=4)
    planes = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    adam = torch.optim.Adam(network.parameters(), lr=5e-3)
    first = float(network(planes).score.mean())
    for _ in range(60):
        adam.zero_grad()
        (-network(planes).score.mean()).backward()
        adam.step()
    assert first < -0.5
    assert float(network(planes).score.mean()) > 0.5 * first


def test_an_autoencoders_features_halve_and_widen_down_to_the_smallest_plane() -> None:
    output = Autoencoder(in_channels=3, channels=4, depth=3, code=2)(torch.zeros(1, 3, 16, 24))
    assert [tuple(plane.shape[1:]) for plane in output.features] == [(4, 16, 24), (8, 8, 12), (12, 4, 6), (16, 2, 3)]


def test_an_autoencoders_score_has_the_digits_of_float32_in_half_precision() -> None:
    network = Autoencoder(in_channels=1, channels=2, depth=1, code=1).bfloat16()
    assert network(torch.ones(1, 1, 4, 4, dtype=torch.bfloat16)).score.dtype == torch.float32
    assert network.double()(torch.ones(1, 1, 4, 4, dtype=torch.float64)).score.dtype == torch.float64


@pytest.mark.parametrize("wrong", [{"depth": 0}, {"code": 0}])
def test_an_autoencoder_without_a_bottleneck_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="depth and a code of at least 1"):
        Autoencoder(**wrong)
