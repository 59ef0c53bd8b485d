"""WGAN-GP, DRAGAN, R1 and R2: closed-form values, what they refuse, and what their gradients reach."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.stabilisers import STABILISERS
from i2i.adversarial.stabilisers.constant_slopes import ConstantSlopes
from i2i.adversarial.stabilisers.diffaugment import DiffAugment
from i2i.adversarial.stabilisers.dragan import Dragan
from i2i.adversarial.stabilisers.gradient_penalty import GradientPenalty
from i2i.adversarial.stabilisers.packing import Packing
from i2i.adversarial.stabilisers.r1 import R1
from i2i.adversarial.stabilisers.r2 import R2
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.patchgan import PatchGAN
from tests.adversarial.parts import Bowl, Plane, critic, duel, pix2pix, train

every_penalty = pytest.mark.parametrize("name", ["gradient_penalty", "dragan", "r1", "r2"])


def penalty(made: Duel, real: Tensor, fake: Tensor, condition: Tensor | None = None) -> Tensor:
    """What the duel's first stabiliser adds."""
    (loss,) = made.stabilisers[0].discriminator_penalty(made, real, fake, condition).values()
    return loss


def pictures(*values: float) -> Tensor:
    """Pictures (N, 3, 1, 1), all of whose length lies in the first channel."""
    return torch.tensor([[value, 0.0, 0.0] for value in values]).view(-1, 3, 1, 1)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        # The gradient is (2, 3, 6) everywhere, of length 7.
        (GradientPenalty(), 10 * 6**2),
        (GradientPenalty(weight=2.0), 2 * 6**2),
        (GradientPenalty(one_sided=True), 10 * 6**2),
        (Dragan(), 10 * 6**2),
        (R1(), 5 * 49),
        (R2(gamma=4.0), 2 * 49),
    ],
)
def test_a_constant_slope_has_the_papers_value(made: Stabiliser, expected: float) -> None:
    critics = duel(Plane(torch.tensor([2.0, 3.0, 6.0]).view(3, 1, 1)), made)
    assert float(penalty(critics, pictures(1.0, 2.0), pictures(-3.0, 0.5))) == pytest.approx(expected)


@pytest.mark.parametrize(("one_sided", "expected"), [(False, 10 * 0.5**2), (True, 0.0)])
def test_one_sided_leaves_gentle_slopes_alone(one_sided: bool, expected: float) -> None:
    critics = duel(Plane(torch.tensor([0.3, 0.4, 0.0]).view(3, 1, 1)), GradientPenalty(one_sided=one_sided))
    assert float(penalty(critics, pictures(1.0), pictures(0.0))) == pytest.approx(expected)


def test_r1_looks_at_the_real_and_r2_at_the_fake_images() -> None:
    # The gradient of a bowl is the picture itself.
    real, fake = pictures(1.0, 3.0), pictures(2.0, 6.0)
    assert float(penalty(duel(Bowl(), R1(gamma=1.0)), real, fake)) == pytest.approx((1 + 9) / 2 / 2)
    assert float(penalty(duel(Bowl(), R2(gamma=1.0)), real, fake)) == pytest.approx((4 + 36) / 2 / 2)


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_a_penalty_of_every_third_turn_is_three_times_as_heavy_then(name: str) -> None:
    made = duel(Bowl(), STABILISERS[name](gamma=1.0, every=3))
    seen: list[dict[str, float]] = []
    for _ in range(5):
        losses, _ = made.discriminator_losses(pictures(1.0, 3.0), pictures(1.0, 3.0))
        seen.append({key: float(loss) for key, loss in losses.items() if key == f"d_{name}"})
        made.stepped("discriminator")
    heavy = {f"d_{name}": pytest.approx(3 * (1 + 9) / 2 / 2)}
    assert seen == [{}, {}, heavy, {}, {}]
    with pytest.raises(ValueError, match="every at least 1, got 0"):
        STABILISERS[name](every=0)


def test_the_gradient_penalty_looks_between_real_and_fake_with_one_draw_for_a_sample() -> None:
    # Real pictures are 0 and fake ones (u, u, u): in between the gradient is alpha * (u, u, u), of length alpha / 2.
    seen: list[Tensor] = []

    class Watched(Bowl):
        def forward(self, planes: Tensor) -> Any:
            seen.append(planes.detach())
            return super().forward(planes)

    torch.manual_seed(0)
    side = 1 / math.sqrt(12)
    value = penalty(duel(Watched(), GradientPenalty()), torch.zeros(400, 3, 1, 1), torch.full((400, 3, 1, 1), side))
    alpha = seen[0][:, 0, 0, 0] / side
    assert torch.allclose(seen[0], alpha.view(-1, 1, 1, 1) * side)
    assert float(value) == pytest.approx(float((10 * (alpha / 2 - 1) ** 2).mean()), rel=1e-5)
    assert (float(alpha.min()) < 0.02, float(alpha.max()) > 0.98, float(alpha.max()) < 1) == (True, True, True)
    assert float(alpha.mean()) == pytest.approx(0.5, abs=0.06)  # 4 standard errors of a uniform mean


def test_dragans_noise_is_at_most_half_a_standard_deviation_and_never_negative() -> None:
    seen: list[Tensor] = []

    class Watched(Bowl):
        def forward(self, planes: Tensor) -> Any:
            seen.append(planes.detach())
            return super().forward(planes)

    torch.manual_seed(0)
    real = torch.tensor([-2.0, 2.0]).repeat(200).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)  # standard deviation 2
    penalty(duel(Watched(), Dragan()), real, torch.zeros_like(real))
    noise = seen[0] - real
    assert float(noise.min()) >= 0
    assert 0.9 < float(noise.max()) <= 1.0
    # A product of two uniform draws, of which one is shared by a sample's values: mean 1/4, mean of samples uniform.
    assert float(noise.mean()) == pytest.approx(0.25, abs=0.03)
    assert float(noise.mean((1, 2, 3)).std()) == pytest.approx(0.5 / math.sqrt(12), abs=0.02)


@every_penalty
def test_patches_are_summed_and_the_value_agrees_with_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    network = critic(3).double()
    image = torch.randn(1, 3, 6, 6, dtype=torch.float64)
    # Real and fake are equal, and noise of a flat picture is none: every penalty looks at the image itself.
    made = duel(network, STABILISERS[name](**({"noise": 0.0} if name == "dragan" else {})))
    differences = []
    for index in range(image.numel()):
        change = torch.zeros(image.numel(), dtype=torch.float64)
        change[index] = 1e-6
        up, down = (made.judge(image + sign * change.view_as(image)).score.sum() for sign in (1, -1))
        differences.append(float(up - down) / 2e-6)
    length = math.sqrt(math.fsum(value**2 for value in differences))
    expected = 5 * length**2 if name in ("r1", "r2") else 10 * (length - 1) ** 2
    assert length > 0.1
    assert float(penalty(made, image, image)) == pytest.approx(expected, rel=1e-5)


@every_penalty
def test_the_penaltys_own_gradient_agrees_with_numerical_ones(name: str) -> None:
    torch.manual_seed(0)
    network = critic(3).double()
    network.score.weight.data.mul_(10)
    real, fake = torch.randn(2, 2, 3, 6, 6, dtype=torch.float64)
    made = duel(network, STABILISERS[name]())
    weight = network.blocks[0][0].weight  # type: ignore[index]

    def value() -> Tensor:
        torch.manual_seed(1)
        return penalty(made, real, fake)

    value().backward()
    assert weight.grad is not None
    direction = torch.randn_like(weight)
    expected = float((weight.grad * direction).sum())
    with torch.no_grad():
        weight += 1e-6 * direction
        up = value_without_graph(value)
        weight -= 2e-6 * direction
        down = value_without_graph(value)
    assert expected != 0
    assert (up - down) / 2e-6 == pytest.approx(expected, rel=1e-4)


def value_without_graph(value: Any) -> float:
    with torch.enable_grad():
        return float(value())


@every_penalty
def test_it_reaches_the_critic_and_neither_image_nor_condition(name: str) -> None:
    made = duel(critic(5), STABILISERS[name]())
    real, fake = torch.randn(2, 2, 3, 8, 8).unbind()
    fake.requires_grad_()
    condition = torch.randn(2, 2, 8, 8)
    losses, _ = made.discriminator_losses(real, fake, condition=condition)
    losses[f"d_{name}"].backward()
    assert fake.grad is None
    assert (real.requires_grad, condition.requires_grad) == (False, False)
    weights = [p for p in made.discriminator.parameters() if p.ndim == 4]
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in weights)


class Steered(nn.Module):
    """The slope in a picture is its condition; the slope in the condition is far steeper."""

    def forward(self, planes: Tensor) -> CriticOutput:
        condition, image = planes[:, 0], planes[:, 1]
        return CriticOutput((condition * image + 100 * condition).sum((1, 2)))


@every_penalty
def test_the_condition_is_shown_but_its_gradient_does_not_count(name: str) -> None:
    image, condition = torch.randn(2, 1, 1, 1), torch.tensor([3.0, 1.0]).view(2, 1, 1, 1)
    expected = 5 * (9 + 1) / 2 if name in ("r1", "r2") else 10 * (2**2 + 0) / 2
    assert float(penalty(duel(Steered(), STABILISERS[name]()), image, image, condition)) == pytest.approx(expected)


@every_penalty
def test_other_stabilisers_change_what_is_judged(name: str) -> None:
    class Doubled(Stabiliser):
        def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
            return 2 * image, condition

    made = duel(Plane(torch.ones(1, 1, 1)), STABILISERS[name](), Doubled())
    expected = 5 * 4 if name in ("r1", "r2") else 10 * (2 - 1) ** 2
    assert float(penalty(made, torch.zeros(2, 1, 1, 1), torch.zeros(2, 1, 1, 1))) == pytest.approx(expected)
    augmented = duel(critic(3), STABILISERS[name](), DiffAugment())
    assert bool(torch.isfinite(penalty(augmented, torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16))))


@every_penalty
def test_the_slope_of_a_pack_is_that_of_all_its_images(name: str) -> None:
    # Two images of a pack with slopes 3 and 4: together 5.
    network = Plane(torch.tensor([3.0, 4.0]).view(2, 1, 1))
    made = duel(network, STABILISERS[name](), Packing())
    expected = 5 * 25 if name in ("r1", "r2") else 10 * 4**2
    assert float(penalty(made, torch.zeros(4, 1, 1, 1), torch.ones(4, 1, 1, 1))) == pytest.approx(expected)


def test_the_images_of_a_pack_share_their_draw() -> None:
    seen: list[Tensor] = []

    class Watched(Bowl):
        def forward(self, planes: Tensor) -> Any:
            seen.append(planes.detach())
            return super().forward(planes)

    penalty(duel(Watched(), GradientPenalty(), Packing()), torch.zeros(6, 1, 1, 1), torch.ones(6, 1, 1, 1))
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])
    assert len(set(seen[0][:, 0].flatten().tolist())) == 3


@every_penalty
def test_a_flat_critic_has_finite_gradients(name: str) -> None:
    network = Plane(torch.zeros(1, 2, 2))
    loss = penalty(duel(network, STABILISERS[name]()), torch.randn(2, 1, 2, 2), torch.randn(2, 1, 2, 2))
    loss.backward()
    assert network.weight.grad is not None
    assert bool(torch.isfinite(network.weight.grad).all())


@every_penalty
def test_batch_normalisation_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"without batch normalisation: .*; set discriminator.norm to instance or none"
    ):
        duel(critic(3, norm="batch"), STABILISERS[name]())
    for norm in ("instance", "none"):
        duel(critic(3, norm=norm), STABILISERS[name]())


@every_penalty
def test_a_negative_weight_is_refused(name: str) -> None:
    option = "gamma" if name in ("r1", "r2") else "weight"
    with pytest.raises(ValueError, match=r"at least 0, got -1"):
        STABILISERS[name](**{option: -1.0})


@every_penalty
def test_it_is_taken_in_float32_in_a_training_of_half_precision(name: str) -> None:
    seen: list[torch.dtype] = []

    class Watched(STABILISERS[name]):  # type: ignore[misc]
        def discriminator_penalty(self, duel: Duel, *given: Any) -> dict[str, Tensor]:
            assert not torch.is_autocast_enabled("cpu")
            losses = super().discriminator_penalty(duel, *given)
            seen.extend([given[1].dtype, *(loss.dtype for loss in losses.values())])
            return losses

    method, engine = pix2pix([Watched()], precision="bf16")
    losses = train(method, engine, 2)
    assert set(seen) == {torch.float32}
    assert f"d_{name}" in losses[1]


def test_it_pulls_the_slope_to_one_and_to_zero() -> None:
    for made, target in ((GradientPenalty(), 1.0), (Dragan(), 1.0), (R1(), 0.0), (R2(), 0.0)):
        network = Plane(torch.tensor([2.0, 3.0, 6.0]).view(3, 1, 1))
        critics = duel(network, made)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.03)
        for _ in range(60):
            optimiser.zero_grad()
            penalty(critics, pictures(1.0), pictures(0.0)).backward()
            optimiser.step()
        assert float(network.weight.detach().norm()) == pytest.approx(target, abs=0.01)


def test_constant_slopes_give_the_same_penalty_and_the_same_gradients() -> None:
    torch.manual_seed(0)
    rectified = nn.Sequential(
        *(nn.Conv2d(3, 6, 3), nn.LeakyReLU(0.2), nn.Conv2d(6, 6, 3, stride=2), nn.ReLU(), nn.InstanceNorm2d(6)),
        *(nn.Conv2d(6, 1, 3), nn.LeakyReLU(0.01)),
    ).double()
    pictures = torch.randn(4, 3, 12, 12, dtype=torch.float64, requires_grad=True)

    def gradients(inside: Any) -> tuple[Tensor, ...]:
        with inside:
            score = rectified(pictures)
        (slope,) = torch.autograd.grad(score.sum(), pictures, create_graph=True)
        loss = slope.square().sum()
        found = torch.autograd.grad(loss, [*rectified.parameters()], allow_unused=True)
        # A bias behind which everything is piecewise linear has no gradient; autograd would have called it 0.
        zeros = [torch.zeros_like(parameter) for parameter in rectified.parameters()]
        return score, loss, *(zero if one is None else one for one, zero in zip(found, zeros, strict=True))

    for got, wanted in zip(gradients(ConstantSlopes()), gradients(nullcontext()), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)


def test_a_penalty_sends_nothing_back_through_the_layers_that_it_does_not_depend_on() -> None:
    # R1 of a critic without norms depends on what its layers are given through the signs of rectifiers alone.
    network = PatchGAN(in_channels=3, channels=4, layers=1, norm="none")
    penalty(duel(network, R1()), torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)).backward()  # type: ignore[no-untyped-call]
    biases = [parameter for name, parameter in network.named_parameters() if name.endswith("bias")]
    assert biases and all(bias.grad is None for bias in biases)
    assert all(parameter.grad is not None for name, parameter in network.named_parameters() if name.endswith("weight"))
