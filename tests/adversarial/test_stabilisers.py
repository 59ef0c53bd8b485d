"""Stabilisers: what all of them keep, and what each does."""

from __future__ import annotations

import pytest
import torch

from i2i.adversarial.stabilisers import STABILISERS
from i2i.adversarial.stabilisers.diffaugment import DiffAugment

every_stabiliser = pytest.mark.parametrize("name", list(STABILISERS))


@every_stabiliser
def test_the_discriminators_input_keeps_its_shape_and_carries_gradients(name: str) -> None:
    image = torch.randn(3, 3, 16, 16, requires_grad=True)
    condition = torch.randn(3, 2, 16, 16)
    changed, beside = STABILISERS[name]().discriminator_input(image, condition)
    assert changed.shape == image.shape
    assert beside is not None
    assert beside.shape == condition.shape
    changed.sum().backward()
    assert image.grad is not None


@every_stabiliser
def test_an_unconditional_image_works_alone(name: str) -> None:
    changed, beside = STABILISERS[name]().discriminator_input(torch.randn(2, 3, 16, 16), None)
    assert changed.shape == (2, 3, 16, 16)
    assert beside is None


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
