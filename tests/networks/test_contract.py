"""What every network of the table promises, checked over the whole table."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.card import NetworkSpec
from i2i.networks import NETWORKS
from i2i.networks.layers.critic_output import CriticOutput

# The smallest sensible settings of each network: a new one adds its line here.
TINY: dict[str, dict[str, Any]] = {
    "unet": {"in_channels": 3, "out_channels": 2, "channels": 4, "depth": 3},
    # With instance norm the biases before it have no gradient but rounding.
    "resnet": {"in_channels": 3, "out_channels": 2, "channels": 4, "blocks": 1, "norm": "batch"},
    "patchgan": {"in_channels": 5, "channels": 4, "layers": 2},
    "pixelgan": {"in_channels": 5, "channels": 4},
    "autoencoder": {"in_channels": 5, "channels": 4, "depth": 2, "code": 3},
    "mlp": {"in_channels": 6, "out_channels": 2, "size": 8, "channels": 5},
    "mlp_critic": {"in_channels": 5, "size": 8, "channels": 4},
    "dcgan": {"in_channels": 6, "out_channels": 2, "size": 16, "channels": 4},
    "dcgan_critic": {"in_channels": 5, "size": 16, "channels": 4},
    "lapgan": {"in_channels": 6, "out_channels": 2, "size": 8, "channels": 4, "kernel": 3, "coarse_channels": 5},
    "stargan": {"in_channels": 3, "out_channels": 2, "condition_channels": 3, "channels": 4, "blocks": 1},
    "stargan_critic": {"in_channels": 5, "condition_channels": 3, "size": 8, "channels": 4, "layers": 2},
    "zi2zi": {"in_channels": 3, "out_channels": 2, "condition_channels": 3, "channels": 4, "depth": 3},
    "zi2zi_critic": {"in_channels": 5, "condition_channels": 3, "size": 8, "channels": 4},
    "attribute_editor": {
        "in_channels": 3,
        "out_channels": 3,
        "condition_channels": 3,
        "generator": {"type": "stargan", "channels": 4, "blocks": 1},
        "reader": {"type": "stargan_critic", "size": 8, "channels": 4, "layers": 2},
    },
    "mixture": {
        "in_channels": 6,
        "out_channels": 2,
        "component": {"type": "mlp", "size": 8, "channels": 5},
        "components": 2,
    },
}

every_network = pytest.mark.parametrize("name", list(NETWORKS))


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    assert name in TINY, f"a new network: add its smallest sensible settings to TINY in {__file__}"
    return NETWORKS[name](**TINY[name])


def planes(network: nn.Module, name: str, *, times: int = 1, count: int = 2) -> Tensor:
    """Planes that the network takes, `times` its smallest size where it takes several; noise for one from noise."""
    generator = torch.Generator().manual_seed(1)
    if hasattr(network, "latent_channels"):
        return torch.randn(count, network.latent_channels, generator=generator)
    side = getattr(network, "size", max(network.minimum, network.multiple, 8) * times)
    return torch.randn(count, TINY[name]["in_channels"], side, side, generator=generator)


def run(network: nn.Module, given: Tensor) -> Tensor | CriticOutput:
    """What the network makes of planes or noise; one that is told a condition is told another for each picture."""
    if not hasattr(network, "condition_channels"):
        return network(given)
    if hasattr(network, "read"):  # a yes, a no and one to keep
        return network(given, torch.tensor([[1.0, 0.0, torch.nan]]).repeat(len(given), 1))
    return network(given, torch.arange(len(given)) % network.condition_channels)


def values(output: Tensor | CriticOutput) -> Tensor:
    """The numbers that it gives, scores and classes of a critic in one row each."""
    if not isinstance(output, CriticOutput):
        return output
    return torch.cat([part.flatten(1) for part in (output.score, output.classes) if part is not None], 1)


@every_network
def test_a_generator_keeps_the_size_and_a_critic_scores_every_picture(name: str) -> None:
    network = build(name)
    given = planes(network, name, times=2)
    output = run(network, given)
    if isinstance(output, CriticOutput):
        assert output.score.shape[0] == 2
        assert len(output.features) >= 1
    else:
        size = given.shape[2:] or (network.size, network.size)
        assert output.shape == (2, TINY[name]["out_channels"], *size)
        assert output.abs().max() <= 1


@every_network
def test_every_parameter_receives_a_gradient(name: str) -> None:
    network = build(name)
    given = planes(network, name, times=2, count=8)  # enough for each component of a mixture
    values(run(network, given)).square().sum().backward()
    # A reader's yes or no hands no gradient on: it learns as the critic that it is.
    learning = [(key, p) for key, p in network.named_parameters() if not key.startswith("reader.")]
    without = [key for key, p in learning if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@every_network
def test_evaluation_is_deterministic_and_changes_nothing(name: str) -> None:
    network = build(name).eval()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    given = planes(network, name)
    with torch.no_grad():
        assert torch.equal(values(run(network, given)), values(run(network, given)))
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())


@every_network
def test_a_network_is_rebuilt_from_its_name_arguments_and_state(name: str) -> None:
    network = build(name).eval()
    spec = NetworkSpec.model_validate_json(NetworkSpec(type=name, arguments=TINY[name]).model_dump_json())
    again = NETWORKS[spec.type](**spec.arguments).eval()
    again.load_state_dict(network.state_dict(), strict=True)
    given = planes(network, name)
    with torch.no_grad():
        assert torch.equal(values(run(network, given)), values(run(again, given)))


@every_network
def test_a_size_that_does_not_fit_is_refused_with_one_that_does(name: str) -> None:
    network = build(name)
    if hasattr(network, "latent_channels"):
        return  # it sees no picture
    if network.multiple == 1 and network.minimum == 1:
        run(network.eval(), torch.zeros(1, TINY[name]["in_channels"], 1, 1))
        return
    with pytest.raises(I2IError, match=f"the next that fits is {network.minimum}x{network.minimum}") as caught:
        run(network, torch.zeros(1, TINY[name]["in_channels"], network.minimum - 1, 1))
    assert caught.value.code == "E_SIZE"
    run(network.eval(), torch.zeros(1, TINY[name]["in_channels"], network.minimum, network.minimum))
