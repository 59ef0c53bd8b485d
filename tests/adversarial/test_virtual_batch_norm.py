"""Virtual batch normalisation: what a picture is normalised by, and the reference that the critic keeps."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.stabilisers.minibatch_stddev import MinibatchStddev
from i2i.adversarial.stabilisers.r1 import R1
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.adversarial.stabilisers.virtual_batch_norm import ReferencedCritic, VirtualBatchNormalisation
from i2i.errors import I2IError
from i2i.networks.layers.virtual_batch_norm import VirtualBatchNorm, reference_seen
from i2i.networks.patchgan import PatchGAN
from tests.adversarial.parts import critic, duel, pix2pix, train


def played(pictures: int = 16) -> tuple[Duel, Tensor]:
    """A duel whose critic has seen four real pictures, and these."""
    torch.manual_seed(0)
    made = duel(critic(3, norm="batch", layers=2), VirtualBatchNormalisation(reference=pictures))
    real = torch.randn(4, 3, 16, 16)
    made.discriminator_losses(real, torch.randn(4, 3, 16, 16))
    return made, real


def referenced(made: Duel) -> ReferencedCritic:
    assert isinstance(made.discriminator, ReferencedCritic)
    return made.discriminator


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3)])
def test_a_picture_counts_as_one_more_of_the_reference(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    weight, bias = nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(3))
    layer = VirtualBatchNorm(weight=weight, bias=bias).double()
    reference = torch.randn(5, *shape[1:], dtype=torch.float64) * 3 + 1
    planes = torch.randn(shape, dtype=torch.float64)
    with reference_seen(nn.Sequential(layer), reference):
        seen = layer(planes)
    for picture, normalised in zip(planes, seen, strict=True):
        # All pictures have as many places, so batch normalisation of the six weighs them as R : 1.
        six = torch.cat((reference, picture[None]))
        expected = nn.functional.batch_norm(six, None, None, layer.weight, layer.bias, training=True)
        assert torch.allclose(normalised, expected[-1], atol=1e-12)


def test_the_reference_is_normalised_by_itself_and_forgotten_afterwards() -> None:
    layer = VirtualBatchNorm(weight=None, bias=None)
    reference = torch.randn(5, 3, 4, 4)
    seen: list[Tensor] = []
    layer.register_forward_hook(lambda module, given, out: seen.append(out))
    with reference_seen(layer, reference):
        pass
    assert torch.allclose(seen[0], nn.functional.batch_norm(reference, None, None, training=True), atol=1e-6)
    planes = torch.randn(2, 3, 4, 4)
    assert torch.allclose(layer(planes), nn.functional.instance_norm(planes), atol=1e-5)


def test_it_agrees_with_numerical_gradients_through_the_reference_as_well() -> None:
    torch.manual_seed(0)
    layer = VirtualBatchNorm(weight=nn.Parameter(torch.randn(2)), bias=nn.Parameter(torch.randn(2))).double()

    def seen(planes: Tensor, reference: Tensor) -> Tensor:
        with reference_seen(layer, reference):
            out: Tensor = layer(planes)
        return out

    inputs = [torch.randn(2, 2, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(seen, inputs)


def test_a_score_does_not_depend_on_the_rest_of_the_batch() -> None:
    made, _ = played()
    one, two, three = torch.randn(3, 1, 3, 16, 16)
    alone = made.judge(one).score
    assert torch.allclose(made.judge(torch.cat((one, two))).score[:1], alone, atol=1e-5)
    assert torch.allclose(made.judge(torch.cat((one, three * 9))).score[:1], alone, atol=1e-5)
    plain = critic(3, norm="batch", layers=2)
    assert not torch.allclose(
        plain(torch.cat((one, two))).score[:1], plain(torch.cat((one, three * 9))).score[:1], atol=1e-2
    )


def test_the_critic_differs_from_one_with_batch_norm_and_goes_on_with_its_scale_and_shift() -> None:
    torch.manual_seed(0)
    network = critic(3, norm="batch")
    batch = torch.randn(4, 3, 16, 16)
    plain, weights = network(batch).score, dict(network.named_parameters())
    made = duel(network, VirtualBatchNormalisation())
    assert not torch.allclose(made.judge(batch).score, plain, atol=1e-2)
    assert {f"network.{name}" for name in weights} == set(dict(made.discriminator.named_parameters()))
    assert all(made.discriminator.get_parameter(f"network.{name}") is weights[name] for name in weights)


def test_the_reference_is_the_first_real_batch_beside_its_condition() -> None:
    made = duel(critic(5, norm="batch"), VirtualBatchNormalisation(reference=3))
    real, fake, condition = torch.randn(4, 3, 16, 16), torch.randn(4, 3, 16, 16), torch.randn(4, 2, 16, 16)
    made.discriminator_losses(real, fake, condition=condition)
    made.discriminator_losses(fake, real, condition=condition)
    assert torch.equal(referenced(made).reference, torch.cat((condition, real), 1)[:3])


def test_it_is_a_real_batch_where_the_generator_begins() -> None:
    made = duel(critic(3, norm="batch"), VirtualBatchNormalisation())
    real, fake = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16, requires_grad=True)
    made.generator_losses(fake, real=real)["g_adversarial"].backward()
    assert torch.equal(referenced(made).reference, real)
    assert fake.grad is not None


def test_evaluation_takes_no_reference() -> None:
    made = duel(critic(3, norm="batch"), VirtualBatchNormalisation()).eval()
    made.judge(torch.randn(2, 3, 16, 16))
    assert referenced(made).reference.numel() == 0


def test_the_reference_comes_back_with_the_state() -> None:
    made, real = played(pictures=3)
    again = duel(critic(3, norm="batch", layers=2), VirtualBatchNormalisation(reference=3))
    again.load_state_dict(made.state_dict())
    assert torch.equal(referenced(again).reference, real[:3])
    image = torch.randn(2, 3, 16, 16)
    assert torch.equal(again.judge(image).score, made.judge(image).score)


def test_a_copy_after_a_step_judges_alike() -> None:
    made, _ = played()
    image = torch.randn(2, 3, 16, 16)
    assert torch.equal(copy.deepcopy(made).judge(image).score, made.judge(image).score)


def test_the_wrapped_critic_is_a_critic_like_any_other() -> None:
    network = PatchGAN(in_channels=3, channels=4, layers=2)
    made = duel(network, VirtualBatchNormalisation(), MinibatchStddev())
    wrapped = made.discriminator
    assert (wrapped.multiple, wrapped.minimum, wrapped.receptive_field) == (1, 12, 34)
    assert wrapped.score is network.score
    assert len(made.judge(torch.randn(2, 3, 16, 16)).output.features) == 3
    with pytest.raises(I2IError, match="the next that fits is 12x12"):
        made.judge(torch.randn(2, 3, 8, 8))
    with pytest.raises(AttributeError, match="colour"):
        _ = wrapped.colour


def test_statistics_of_the_batch_do_not_see_the_reference() -> None:
    torch.manual_seed(0)
    made = duel(critic(3, norm="batch"), VirtualBatchNormalisation(), MinibatchStddev())
    made.judge(torch.randn(4, 3, 16, 16))
    numbers: list[Tensor] = []
    made.discriminator.score[0].statistics.register_forward_hook(  # type: ignore[index, union-attr]
        lambda module, given, out: numbers.append(out)
    )
    made.judge(torch.randn(1, 3, 16, 16).expand(2, 3, 16, 16))
    assert [len(seen) for seen in numbers] == [4, 2]
    # Two equal pictures do not differ: 1e-4 is the floor.
    assert numbers[1].flatten().tolist() == pytest.approx([1e-4] * 2, rel=0.1)


def test_layouts_and_half_precision_survive_an_engine() -> None:
    method, engine = pix2pix([VirtualBatchNormalisation()], norm="batch", precision="bf16")
    train(method, engine, 2)
    kept = referenced(method.duel).reference
    assert kept.shape == (2, 6, 16, 16)
    assert kept.dtype == torch.float32


def test_a_critic_without_batch_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="VirtualBatchNormalisation wants a critic with batch normalisation"):
        duel(critic(3, norm="instance"), VirtualBatchNormalisation())
    with pytest.raises(ValueError, match="1 or more; got 0"):
        VirtualBatchNormalisation(reference=0)


@pytest.mark.parametrize("first", [True, False])
def test_a_penalty_on_single_pictures_may_go_with_it(first: bool) -> None:
    torch.manual_seed(0)
    parts: list[Stabiliser] = [R1(gamma=1.0), VirtualBatchNormalisation(reference=4)]
    made = duel(critic(3, norm="batch", layers=2), *(parts if first else parts[::-1]))
    real, fake = torch.randn(2, 4, 3, 16, 16).unbind()
    penalty = made.discriminator_losses(real, fake)[0]["d_r1"]
    with torch.no_grad():
        made.judge(real[:1])  # the reference is there; each picture's gradient is its own
    alone = [made.discriminator_losses(real[i : i + 1], fake[:1])[0]["d_r1"] for i in range(4)]
    assert float(penalty) == pytest.approx(float(sum(alone)) / 4, rel=1e-4)


def test_a_penalty_still_refuses_batch_normalisation_that_stays() -> None:
    with pytest.raises(ValueError, match="R1 wants a critic without batch normalisation"):
        duel(critic(3, norm="batch", layers=2), R1())
