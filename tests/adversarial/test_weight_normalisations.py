"""Spectral and weight normalisation of the critic's layers, by themselves and in a training."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from i2i.adversarial.stabilisers.gradient_penalty import GradientPenalty
from i2i.adversarial.stabilisers.spectral_norm import SpectralNorm
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.adversarial.stabilisers.weight_norm import WeightNorm
from tests.adversarial.parts import critic, duel, pix2pix, train

every_kind = pytest.mark.parametrize("kind", [SpectralNorm, WeightNorm])


def layers(network: nn.Module) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def largest_singular_value(weight: Tensor) -> float:
    return float(torch.linalg.svdvals(weight.detach().flatten(1))[0])


class Mixed(nn.Module):
    """A layer of each sort."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.up = nn.ConvTranspose2d(4, 6, 2)
        self.score = nn.Linear(6, 1)


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    torch.manual_seed(0)
    network = critic(6, channels=8, layers=3)
    values = [largest_singular_value(layer.weight) for layer in layers(network)]
    plain = [layer.weight.detach().clone() for layer in layers(network)]
    SpectralNorm(iterations=200).discriminator_network(network)
    assert len(values) == 5
    assert all(abs(value - 1) > 0.1 for value in values)
    for layer, value, weight in zip(layers(network), values, plain, strict=True):
        # 200 iterations leave rounding alone: singular values are clearly apart in random matrices.
        assert torch.allclose(layer.weight, weight / value, rtol=1e-4)
        assert largest_singular_value(layer.weight) == pytest.approx(1, rel=1e-4)


def test_one_iteration_a_look_comes_ever_closer() -> None:
    # Singular values 1 and 0.95: an iteration shrinks the share of the second by 0.95^2, 60 of them to a 500th.
    torch.manual_seed(0)
    network = nn.Linear(6, 6)
    network.weight.data = torch.diag(torch.tensor([1.0, 0.95, 0.5, 0.4, 0.3, 0.2]))
    SpectralNorm().discriminator_network(network)
    errors = [abs(largest_singular_value(network.weight) - 1) for _ in range(60)]
    assert errors[0] > 1e-3
    assert errors[-1] < 1e-5
    assert errors == sorted(errors, reverse=True)


def test_weight_norm_learns_length_and_direction_apart() -> None:
    torch.manual_seed(0)
    network = critic(3)
    plain = layers(network)[0].weight.detach().clone()
    WeightNorm().discriminator_network(network)
    layer = layers(network)[0]
    length, direction = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    assert torch.allclose(layer.weight, plain, atol=1e-7)
    assert torch.allclose(length.flatten(), plain.flatten(1).norm(dim=1))
    with torch.no_grad():
        direction.mul_(3)
        assert torch.allclose(layer.weight, plain, atol=1e-7)
        length.mul_(2)
        assert torch.allclose(layer.weight, 2 * plain, atol=1e-7)


@every_kind
def test_every_layer_of_every_sort_is_normalised_by_its_outputs(kind: type[Stabiliser]) -> None:
    network = Mixed()
    kind().discriminator_network(network)
    names = {name.partition(".")[0] for name, _ in network.named_parameters() if "parametrizations" in name}
    assert names == {"first", "up", "score"}
    if kind is WeightNorm:
        assert network.up.parametrizations.weight.original0.shape == (1, 6, 1, 1)  # type: ignore[union-attr, index]
    else:
        assert network.up.parametrizations.weight[0]._u.shape == (6,)  # type: ignore[union-attr, index]


@every_kind
@pytest.mark.parametrize("planes", [3, 5])
def test_a_duel_trains_the_normalised_critic(kind: type[Stabiliser], planes: int) -> None:
    torch.manual_seed(0)
    made = duel(critic(planes), kind())
    real, fake = torch.randn(2, 2, 3, 8, 8)
    condition = torch.randn(2, 2, 8, 8) if planes == 5 else None
    sum(made.discriminator_losses(real, fake, condition=condition)[0].values()).backward()  # type: ignore[union-attr]
    assert all(parameter.grad is not None for parameter in made.discriminator.parameters())
    fake.requires_grad_()
    made.generator_losses(fake, real=real, condition=condition)["g_adversarial"].backward()
    assert fake.grad is not None
    assert bool(fake.grad.any())


@every_kind
def test_other_weights_may_take_the_place_of_its_own(kind: type[Stabiliser]) -> None:
    network = kind().discriminator_network(critic(3)).eval()
    image = torch.randn(1, 3, 8, 8)
    plain = network(image).score
    named = [(name, weight) for name, weight in network.named_parameters() if name.startswith("score.par")]
    assert len(named) == (1 if kind is SpectralNorm else 2)
    other = functional_call(network, {name: weight + 1 for name, weight in named}, (image,)).score
    assert not torch.allclose(other, plain)
    assert torch.equal(network(image).score, plain)


@every_kind
def test_state_and_copy_score_alike(kind: type[Stabiliser]) -> None:
    torch.manual_seed(0)
    one, two = (duel(critic(3), kind()) for _ in range(2))
    image = torch.randn(2, 3, 8, 8)
    for _ in range(3):
        one.judge(image)
    two.load_state_dict(one.state_dict())
    copied = copy.deepcopy(one)
    score = one.judge(image).score
    assert torch.equal(two.judge(image).score, score)
    assert torch.equal(copied.judge(image).score, score)
    assert not {p.data_ptr() for p in copied.parameters()} & {p.data_ptr() for p in one.parameters()}


@every_kind
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp64"])
def test_the_engine_steps_it_and_keeps_the_rule(kind: type[Stabiliser], precision: str) -> None:
    method, engine = pix2pix([kind()], precision=precision, learning_rate=5e-3)
    before = [parameter.detach().clone() for parameter in method.duel.discriminator.parameters()]
    train(method, engine, 4)
    after = list(method.duel.discriminator.parameters())
    # The bias before an instance norm has no effect, so its gradient is zero or rounding.
    moved = [not torch.equal(one, two) for one, two in zip(before, after, strict=True)]
    assert all(moved[index] for index, weight in enumerate(before) if weight.ndim > 1)
    for layer in layers(method.duel.discriminator):
        if kind is SpectralNorm:
            assert largest_singular_value(layer.weight) == pytest.approx(1, abs=0.05)
        else:
            rule = layer.parametrizations.weight
            lengths = layer.weight.flatten(1).norm(dim=1)
            assert torch.allclose(lengths, rule.original0.flatten().abs(), rtol=1e-5)
    convolution = method.duel.discriminator.blocks[0][0]  # type: ignore[index, union-attr]
    originals = [p for p in convolution.parametrizations.weight.parameters() if p.numel() > 4]  # type: ignore[union-attr, operator]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in originals)


@every_kind
def test_a_restored_training_takes_the_same_next_step(kind: type[Stabiliser]) -> None:
    one, two = pix2pix([kind()]), pix2pix([kind()])
    train(*one, 3)
    two[0].load_state_dict(one[0].state_dict())
    two[1].load_state(one[1].state())
    assert train(*one, range(3, 5)) == train(*two, range(3, 5))
    state = two[0].state_dict()
    assert all(torch.equal(value, state[name]) for name, value in one[0].state_dict().items())


@every_kind
def test_its_gradients_have_gradients_for_a_penalty(kind: type[Stabiliser]) -> None:
    torch.manual_seed(0)
    made = duel(critic(3), kind(), GradientPenalty())
    losses, _ = made.discriminator_losses(torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8))
    losses["d_gradient_penalty"].backward()
    weights = [parameter for parameter in made.discriminator.parameters() if parameter.ndim == 4]
    assert all(weight.grad is not None and bool(torch.isfinite(weight.grad).all()) for weight in weights)


@pytest.mark.parametrize("kinds", [(SpectralNorm, WeightNorm), (WeightNorm, SpectralNorm), (WeightNorm, WeightNorm)])
def test_two_normalisations_of_the_weights_are_refused(kinds: tuple[type[Stabiliser], type[Stabiliser]]) -> None:
    with pytest.raises(ValueError, match=f"{kinds[1].__name__} stands beside .*; list one of the two"):
        duel(critic(3), *(kind() for kind in kinds))


def test_no_iterations_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        SpectralNorm(iterations=0)
