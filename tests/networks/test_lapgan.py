"""The pyramid's two operations, and the generator that climbs it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from i2i.networks.dcgan import DCGAN
from i2i.networks.lapgan import LAPGAN
from i2i.networks.layers.pyramid import doubled, halved, pyramid


def test_a_ramp_is_halved_and_doubled_by_the_weights_that_are_said() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    # (1 * a + 3 * b + 3 * c + 1 * d) / 8 around each pair; the first and the last value go on outside.
    assert halved(ramp)[0, 0, 0].tolist() == [0.625, 2.5, 4.5, 6.375]
    assert doubled(torch.tensor([0.0, 4.0]).expand(1, 1, 2, 2))[0, 0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


def test_away_from_the_border_doubling_is_four_times_halving_transposed() -> None:
    small, large = torch.zeros(1, 2, 6, 6), torch.zeros(1, 2, 12, 12)
    generator = torch.Generator().manual_seed(0)
    small[:, :, 2:4, 2:4] = torch.randn(1, 2, 2, 2, generator=generator)
    large[:, :, 3:9, 3:9] = torch.randn(1, 2, 6, 6, generator=generator)
    assert (doubled(small) * large).sum().item() == pytest.approx(4 * (small * halved(large)).sum().item(), rel=1e-5)


def test_a_pyramid_of_a_constant_is_constant_at_every_size() -> None:
    levels = pyramid(torch.full((2, 3, 16, 8), 0.3), 3)
    assert [tuple(level.shape[2:]) for level in levels] == [(4, 2), (8, 4), (16, 8)]
    assert all(torch.allclose(level, torch.tensor(0.3)) for level in levels)


def test_the_papers_widths_have_as_many_parameters_as_their_layers_need() -> None:
    dense = 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 192 + 192
    refinement = 49 * 4 * 128 + 128 + 49 * 128 * 128 + 128 + 25 * 128 * 3 + 3
    network = LAPGAN()
    assert sum(parameter.numel() for parameter in network.parameters()) == dense + 2 * refinement == 3_468_518
    assert network.latent_channels == 100 + 16 * 16 + 32 * 32 == 1380


def test_a_convolutional_coarsest_level_is_a_dcgan_of_its_size() -> None:
    network = LAPGAN(size=64, levels=3, out_channels=1, channels=8, kernel=5, coarse="convolutional", coarse_channels=4)
    # To 4x4 (8 wide), to 8x8 (4 wide), both with scales and shifts of their norms, and to 16x16, with a bias.
    coarse = 16 * (100 * 8 + 8 * 4 + 4 * 1) + 2 * (8 + 4) + 1
    refinement = 25 * 2 * 8 + 8 + 25 * 8 * 8 + 8 + 9 * 8 * 1 + 1
    assert sum(parameter.numel() for parameter in network.parameters()) == coarse + 2 * refinement
    assert isinstance(network.coarse, DCGAN)
    latent = torch.randn(2, network.latent_channels)
    numbers, _ = network.noise(latent)
    assert network.coarse(numbers).shape == (2, 1, 16, 16)
    assert network(latent).shape == (2, 1, 64, 64)


def test_each_number_of_the_noise_reaches_its_own_level_alone() -> None:
    torch.manual_seed(0)
    network = LAPGAN(in_channels=3, out_channels=1, size=8, levels=3, channels=4, kernel=3, coarse_channels=8)
    latent = torch.arange(float(network.latent_channels)).expand(2, -1)
    numbers, (middle, fine) = network.noise(latent)
    assert numbers[0].tolist() == [80.0, 81.0, 82.0]  # the last ones, behind which a condition would stand
    assert middle[0, 0].flatten().tolist() == [float(number) for number in range(16)]
    assert fine[1, 0].flatten().tolist() == [float(number) for number in range(16, 80)]


def test_without_fine_noise_a_coarse_picture_has_one_refinement() -> None:
    torch.manual_seed(0)
    network = LAPGAN(in_channels=3, out_channels=2, size=8, levels=2, channels=4, kernel=3, fine_noise=False)
    assert (network.latent_channels, network.more_latent) == (3, 0)
    assert network.refinements[0].detail[0].in_channels == 2  # the picture's planes alone
    latent = torch.randn(2, 3)
    numbers, planes = network.noise(latent)
    assert torch.equal(numbers, latent) and list(planes) == [None]
    low_pass = doubled(network.coarse(latent))
    assert torch.equal(network(latent), (low_pass + network.refinements[0].detail(low_pass)).clamp(-1, 1))


def test_a_refinement_of_a_constant_picture_is_constant_to_the_border() -> None:
    torch.manual_seed(0)
    network = LAPGAN(in_channels=3, out_channels=1, size=16, levels=2, channels=4, kernel=5, fine_noise=False)
    refined = network.refinements[0](torch.full((1, 1, 16, 16), -0.9), None)
    assert refined.sub(refined[0, 0, 8, 8]).abs().max() < 1e-6  # rounding
    assert (refined[0, 0, 8, 8] + 0.9).abs() > 1e-3  # it does add something


def test_without_detail_a_picture_is_the_coarsest_one_doubled() -> None:
    network = LAPGAN(in_channels=3, out_channels=2, size=8, levels=3, channels=4, kernel=3, coarse_channels=8)
    for refinement in network.refinements:
        for parameter in refinement.detail[-1].parameters():
            parameter.data.zero_()
    latent = torch.randn(2, network.latent_channels)
    coarse = network.coarse(latent[:, -3:])
    assert coarse.shape == (2, 2, 2, 2)
    assert torch.allclose(network(latent), doubled(doubled(coarse)))


def test_a_condition_stands_behind_the_coarsest_noise() -> None:
    torch.manual_seed(0)
    network = LAPGAN(in_channels=3 + 2, out_channels=1, size=8, levels=2, channels=4, kernel=3, coarse_channels=8)
    latent = torch.randn(1, 64 + 3)
    hot = torch.cat((latent, torch.tensor([[0.0, 1.0]])), 1)
    assert torch.equal(network(latent, torch.tensor([1])), network(hot))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 36, "levels": 4}, "4 levels halve the size 3 times, which 36 pixels do not allow"),
        ({"levels": 0}, "0 levels"),
        ({"kernel": 4}, "kernel is odd and 3 or more, got 4"),
        ({"kernel": 1}, "kernel is odd and 3 or more, got 1"),
        ({"size": 16, "levels": 3, "coarse": "convolutional"}, "DCGAN's size is a power of two from 8 on, got 4"),
    ],
)
def test_a_pyramid_that_does_not_come_out_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LAPGAN(**options)
