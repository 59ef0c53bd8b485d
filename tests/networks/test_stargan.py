"""StarGAN's networks: parameter counts, how far a condition reaches, and what does not go together."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.networks.layers.conditional_norm import ConditionalInstanceNorm
from i2i.networks.stargan import StarGAN, StarGANCritic


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"conditioning": "planes"}, 8_430_528),
        ({"conditioning": "planes", "channels": 32}, 2_118_112),
        # Two sets of 5 and 8 labels, and the two numbers of the mask.
        ({"conditioning": "planes", "condition_channels": 5 + 8 + 2}, 8_461_888),
        ({}, 8_451_968),
        ({"channels": 32}, 2_128_832),
    ],
)
def test_the_generator_has_the_known_number_of_parameters(given: dict[str, Any], count: int) -> None:
    with torch.device("meta"):
        assert parameters(StarGAN(**given)) == count


@pytest.mark.parametrize(("given", "count"), [({}, 44_762_048), ({"size": 64, "channels": 32, "layers": 5}, 2_802_656)])
def test_the_critic_has_the_known_number_of_parameters(given: dict[str, Any], count: int) -> None:
    with torch.device("meta"):
        critic = StarGANCritic(**given)
    assert parameters(critic) == count
    assert critic.score.bias is None and critic.classes.bias is None


def effect(network: StarGAN, size: int) -> float:
    """The mean difference between the translations of noise to two domains."""
    noise = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        one, two = (network(noise, torch.tensor([domain])) for domain in (0, 1))
    return float((one - two).abs().mean())


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_a_condition_in_the_norms_has_the_same_effect_at_every_size(padding: Any) -> None:
    torch.manual_seed(0)
    network = StarGAN(channels=8, blocks=3, condition_channels=3, padding=padding).eval()
    effects = [effect(network, size) for size in (64, 128, 256)]
    assert min(effects) > 0.05
    assert max(effects) < 1.1 * min(effects)


def test_a_condition_in_planes_fades_with_the_size_so_its_size_matters() -> None:
    torch.manual_seed(0)
    network = StarGAN(channels=8, blocks=3, condition_channels=3, conditioning="planes").eval()
    assert effect(network, 256) < 0.6 * effect(network, 64)
    assert network.size_matters and not StarGAN(channels=2, blocks=1).size_matters


def test_planes_inside_a_reflected_border_would_say_nothing_and_are_refused() -> None:
    with pytest.raises(ValueError, match="acts through the border of zeros alone, and padding 'reflect' has none"):
        StarGAN(conditioning="planes", padding="reflect")
    torch.manual_seed(0)
    network = StarGAN(channels=4, blocks=1, condition_channels=2, conditioning="planes").eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (1, 1):
            module.padding_mode = "reflect"  # as if it had not been refused
            module._reversed_padding_repeated_twice = [module.padding[0]] * 4  # type: ignore[index]
    assert effect(network, 32) < 1e-3


def test_a_picture_is_judged_by_its_own_statistics_in_training_and_after_it() -> None:
    torch.manual_seed(0)
    network = StarGAN(channels=4, blocks=1, condition_channels=2)
    pictures, domains = torch.randn(2, 3, 16, 12), torch.tensor([0, 1])
    with torch.no_grad():
        trained, evaluated = network.train()(pictures, domains), network.eval()(pictures, domains)
        alone = network(pictures[1:], domains[1:])
    assert torch.allclose(trained, evaluated, atol=1e-5)
    assert torch.allclose(evaluated[1:], alone, atol=1e-5)
    assert not list(network.buffers())


def test_a_domain_and_its_weights_ask_for_the_same() -> None:
    torch.manual_seed(0)
    network = StarGAN(channels=4, blocks=1, condition_channels=3).eval()
    pictures = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        by_number = network(pictures, torch.tensor([2, 0]))
        by_weights = network(pictures, torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    assert torch.equal(by_number, by_weights)


def test_the_conditional_norm_scales_and_shifts_what_instance_norm_gives() -> None:
    torch.manual_seed(0)
    layer = ConditionalInstanceNorm(2, condition_channels=3)
    planes, numbers = torch.randn(2, 2, 5, 4), torch.tensor([[1.0, 0.0, 0.5], [0.0, -1.0, 0.0]])
    expected = []
    weight, bias = layer.scale_and_shift.weight, layer.scale_and_shift.bias
    for picture, told in zip(planes, numbers, strict=True):
        for channel, plane in enumerate(picture):
            scale = weight[channel] @ told + bias[channel]
            shift = weight[2 + channel] @ told + bias[2 + channel]
            normal = (plane - plane.mean()) / (plane.var(correction=0) + 1e-5).sqrt()
            expected.append(scale * normal + shift)
    for mode in (True, False):  # they compute it in other ways
        given = layer.train(mode)(planes, numbers)
        assert torch.allclose(given, torch.stack(expected).view_as(planes), atol=1e-5)
    assert bias.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_the_critic_scores_patches_and_gives_one_logit_a_class() -> None:
    critic = StarGANCritic(in_channels=3, size=32, channels=4, layers=3, condition_channels=5)
    given: Tensor = torch.zeros(2, 3, 32, 32)
    output = critic(given)
    assert output.score.shape == (2, 1, 4, 4)
    assert output.classes is not None and output.classes.shape == (2, 5)
    assert [tuple(features.shape[1:]) for features in output.features] == [(4, 16, 16), (8, 8, 8), (16, 4, 4)]
    with pytest.raises(I2IError, match="takes 32x32 alone") as caught:
        critic(torch.zeros(1, 3, 64, 64))
    assert caught.value.code == "E_SIZE"


def test_a_critic_of_branches_tells_the_score_of_the_name_beside_the_picture() -> None:
    torch.manual_seed(0)
    critic = StarGANCritic(in_channels=3 + 2, size=16, channels=4, layers=2, condition_channels=2, branches=True)
    picture = torch.randn(2, 3, 16, 16)
    planes = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[:, :, None, None].expand(-1, -1, 16, 16)
    with torch.no_grad():
        output = critic(torch.cat((planes, picture), 1))
        every = critic.score(output.features[-1])
        moved = critic(torch.cat((planes * (torch.arange(16) > 12), picture), 1))
    torch.testing.assert_close(output.classes, moved.classes)  # the layers do not see the planes
    torch.testing.assert_close(output.score, torch.stack((every[0, :1], every[1, 1:])))
    torch.testing.assert_close(moved.score, output.score)


def test_a_head_of_patches_says_the_mean_of_what_each_patch_says_of_the_classes() -> None:
    torch.manual_seed(0)
    critic = StarGANCritic(size=32, channels=4, layers=3, condition_channels=5, class_patches=True)
    assert critic.classes.weight.shape == (5, 16, 3, 3) and critic.classes.bias is None
    with torch.no_grad():
        output = critic(torch.randn(2, 3, 32, 32))
        expected = torch.nn.functional.conv2d(output.features[-1], critic.classes.weight, padding=1).mean((2, 3))
    assert output.classes is not None
    torch.testing.assert_close(output.classes, expected)


def test_branches_want_the_condition_in_front_of_the_picture() -> None:
    with pytest.raises(ValueError, match=r"in front of the picture: method\.conditional true"):
        StarGANCritic(in_channels=3, condition_channels=3, branches=True)


@pytest.mark.parametrize(("size", "layers"), [(48, 5), (16, 5), (16, 0)])
def test_halvings_that_do_not_fit_the_size_are_refused(size: int, layers: int) -> None:
    with pytest.raises(ValueError, match="halvings do not fit"):
        StarGANCritic(size=size, layers=layers)


def test_the_signal_reaches_the_last_layer_of_a_new_critic() -> None:
    torch.manual_seed(0)
    critic = StarGANCritic(size=64, channels=32, layers=5, condition_channels=3)
    with torch.no_grad():
        features = critic(torch.randn(16, 3, 64, 64)).features
    sizes = [float(planes.square().mean().sqrt()) for planes in features]
    assert all(0.7 < size < 1.1 for size in sizes), sizes  # zeros round the small planes take some off


def test_no_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one block, got 0"):
        StarGAN(blocks=0)
