"""Several generators as one: which of them makes a picture, and how the whole is built."""

from __future__ import annotations

from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from i2i.networks.mixture import Mixture


def mixture(*, components: int = 4, **component: object) -> Mixture:
    """Of generators of points that say which of them made them: a constant each."""
    options = {"type": "mlp", "size": 1, "channels": 2, "output": "linear", **component}
    made = Mixture(in_channels=3, out_channels=1, component=options, components=components)
    for number, network in enumerate(made.components):
        network.last.weight.data.zero_()
        network.last.bias.data.fill_(float(number))
    return made


def noise(*first: float) -> Tensor:
    return torch.cat((torch.tensor(first)[:, None], torch.randn(len(first), 3)), 1)


def test_the_quantiles_of_the_first_number_choose_the_component() -> None:
    quartiles = [NormalDist().inv_cdf(share) for share in (0.25, 0.5, 0.75)]
    around = [place for bound in quartiles for place in (bound - 1e-3, bound + 1e-3)]
    assert mixture()(noise(*around)).flatten().tolist() == [0, 1, 1, 2, 2, 3]


def test_noise_far_out_still_chooses_a_component() -> None:
    assert mixture()(noise(-40.0, 40.0)).flatten().tolist() == [0, 3]


def test_components_that_do_not_play_yet_make_nothing() -> None:
    network = mixture()
    network.playing.fill_(2)
    assert network(noise(-9.0, -0.01, 0.01, 9.0)).flatten().tolist() == [0, 0, 1, 1]


def test_every_component_makes_its_share() -> None:
    torch.manual_seed(0)
    made = mixture(components=3)(torch.randn(9000, 4)).flatten().long()
    # Five standard deviations of a binomial count: sqrt(9000 * 1/3 * 2/3) = 45.
    assert torch.bincount(made).tolist() == pytest.approx([3000, 3000, 3000], abs=225)


def test_a_component_that_needs_more_noise_gets_it() -> None:
    lapgan = {"type": "lapgan", "size": 8, "levels": 2, "channels": 2, "kernel": 3, "coarse_channels": 4}
    network = Mixture(in_channels=3, out_channels=1, component=lapgan, components=2)
    assert (network.latent_channels, network.more_latent, network.size) == (1 + 64 + 3, 1 + 64, 8)
    assert network(torch.randn(2, 68)).shape == (2, 1, 8, 8)


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ({"type": "mlp", "chanels": 3}, "chanels"),
        ({"type": "unet", "channels": 2, "depth": 2}, "generators from noise"),
        ({"type": "dcgan_critic"}, "out_channels"),
    ],
)
def test_what_is_no_generator_from_noise_is_refused(component: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Mixture(component=component)
