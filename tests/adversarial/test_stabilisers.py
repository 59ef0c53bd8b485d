"""Stabilisers: what all of them keep, and what each does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from i2i.adversarial.duel import Duel
from i2i.adversarial.stabilisers import STABILISERS
from i2i.adversarial.stabilisers.diffaugment import DiffAugment
from tests.adversarial.parts import critic, duel

every_stabiliser = pytest.mark.parametrize("name", list(STABILISERS))


# The normalisation of the critic that a stabiliser asks for, where any other will not do.
NORMS = {"virtual_batch_norm": "batch"}


def in_duel(name: str, *, planes: int) -> Duel:
    """The stabiliser beside a critic of so many planes an image."""
    stabiliser = STABILISERS[name]()
    return duel(critic(planes * stabiliser.packed, norm=NORMS.get(name, "instance")), stabiliser)


@every_stabiliser
def test_the_discriminators_input_keeps_its_planes_and_carries_gradients(name: str) -> None:
    stabiliser = STABILISERS[name]()
    image = torch.randn(4, 3, 16, 16, requires_grad=True)
    condition = torch.randn(4, 2, 16, 16)
    changed, beside = stabiliser.discriminator_input(image, condition)
    packs, packed = 4 // stabiliser.packed, stabiliser.packed
    assert changed.shape == (packs, packed * 3, 16, 16)
    assert beside is not None
    assert beside.shape == (packs, packed * 2, 16, 16)
    changed.sum().backward()
    assert image.grad is not None


@every_stabiliser
def test_an_unconditional_image_works_alone(name: str) -> None:
    stabiliser = STABILISERS[name]()
    changed, beside = stabiliser.discriminator_input(torch.randn(2, 3, 16, 16), None)
    assert changed.shape == (2 // stabiliser.packed, 3 * stabiliser.packed, 16, 16)
    assert beside is None


@every_stabiliser
@pytest.mark.parametrize("conditional", [True, False])
def test_a_duel_has_finite_named_losses_and_gradients_that_reach_each_player_alone(
    name: str, conditional: bool
) -> None:
    torch.manual_seed(0)
    made = in_duel(name, planes=5 if conditional else 3)
    real, fake = torch.randn(4, 3, 16, 16), torch.randn(4, 3, 16, 16, requires_grad=True)
    condition = torch.randn(4, 2, 16, 16) if conditional else None
    losses, indicators = made.discriminator_losses(real, fake, condition=condition)
    assert {key[:2] for key in losses} == {"d_"}
    assert all(loss.shape == () and bool(torch.isfinite(loss)) for loss in [*losses.values(), *indicators.values()])
    torch.stack(list(losses.values())).sum().backward()
    assert fake.grad is None
    assert any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in made.parameters())
    losses = made.generator_losses(fake, real=real, condition=condition)
    assert {key[:2] for key in losses} == {"g_"}
    assert all(loss.shape == () and bool(torch.isfinite(loss)) for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    assert fake.grad is not None
    assert bool(fake.grad.flatten(1).any(1).all())


@every_stabiliser
def test_its_state_goes_on_where_it_was_saved(name: str) -> None:
    torch.manual_seed(0)
    one, two = (in_duel(name, planes=5) for _ in range(2))
    batches = [torch.randn(3, 4, 3, 16, 16) for _ in range(3)]
    for images in batches[:2]:
        two_turns(one, images)
    two.load_state_dict(one.state_dict())
    torch.manual_seed(1)
    expected = two_turns(one, batches[2])
    torch.manual_seed(1)
    assert two_turns(two, batches[2]) == expected
    state = two.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in one.state_dict().items())


def two_turns(made: Duel, images: Tensor) -> dict[str, float]:
    """The losses of both players' turns on (real, fake, condition), without a step."""
    real, fake, condition = images[0], images[1], images[2, :, :2]
    losses, _ = made.discriminator_losses(real, fake, condition=condition)
    made.stepped("discriminator")
    losses |= made.generator_losses(fake, real=real, condition=condition)
    made.stepped("generator")
    return {key: float(loss.detach()) for key, loss in losses.items()}


def test_diffaugment_moves_image_and_condition_alike_and_colours_the_image_alone() -> None:
    torch.manual_seed(3)
    image = torch.rand(4, 3, 16, 16) + 1
    moved, beside = DiffAugment(policy=("translation", "cutout")).discriminator_input(image, image.clone())
    assert beside is not None
    assert torch.equal(moved, beside)
    assert not torch.equal(moved, image)
    coloured, beside = DiffAugment(policy=("colour",)).discriminator_input(image, image.clone())
    assert beside is not None
    assert torch.equal(beside, image)
    assert not torch.equal(coloured, image)


def test_diffaugment_translates_by_at_most_an_eighth_and_fills_with_zeros() -> None:
    torch.manual_seed(0)
    image = torch.arange(1.0, 257.0).view(1, 1, 16, 16).expand(64, 1, 16, 16)
    moved, _ = DiffAugment(policy=("translation",)).discriminator_input(image, None)
    shifts = set()
    for picture in moved[:, 0]:
        row, column = (picture != 0).nonzero()[0].tolist()
        value = int(picture[row, column]) - 1
        dy, dx = row - value // 16, column - value % 16
        expected = torch.zeros(16, 16)
        ys, xs = slice(max(dy, 0), 16 + min(dy, 0)), slice(max(dx, 0), 16 + min(dx, 0))
        expected[ys, xs] = image[0, 0, max(-dy, 0) : 16 - max(dy, 0), max(-dx, 0) : 16 - max(dx, 0)]
        assert torch.equal(picture, expected)
        shifts.add((dy, dx))
    assert {abs(shift) for pair in shifts for shift in pair} == {0, 1, 2}


def test_diffaugment_cuts_out_at_most_a_square_of_half_the_side() -> None:
    torch.manual_seed(0)
    cut, _ = DiffAugment(policy=("cutout",)).discriminator_input(torch.ones(64, 1, 16, 16), None)
    zeros = (cut == 0).flatten(1).sum(1)
    assert int(zeros.max()) == 64
    assert int(zeros.min()) >= 16  # a centre in the corner leaves a quarter of the square


def test_diffaugment_draws_for_every_picture_by_itself() -> None:
    torch.manual_seed(0)
    changed, _ = DiffAugment().discriminator_input(torch.ones(2, 3, 16, 16), None)
    assert not torch.equal(changed[0], changed[1])
