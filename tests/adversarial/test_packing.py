"""Packing: the shapes, what is packed with what, and batches that do not fit."""

from __future__ import annotations

import pytest
import torch

from i2i.adversarial.stabilisers.diffaugment import DiffAugment
from i2i.adversarial.stabilisers.packing import Packing
from i2i.errors import I2IError
from tests.adversarial.parts import Plane, critic, duel, pix2pix, train
from tests.training.conftest import Train, pairs, run_tiny

__all__ = ["pairs", "run_tiny"]


def test_neighbours_of_a_batch_become_one_image_and_their_conditions_too() -> None:
    image, condition = torch.randn(6, 3, 4, 5), torch.randn(6, 2, 4, 5)
    packed, beside = Packing(packed=3).discriminator_input(image, condition)
    assert beside is not None
    assert torch.equal(packed[0], torch.cat((image[0], image[1], image[2])))
    assert torch.equal(packed[1], torch.cat((image[3], image[4], image[5])))
    assert torch.equal(beside[1], torch.cat((condition[3], condition[4], condition[5])))
    assert (packed.shape, beside.shape) == ((2, 9, 4, 5), (2, 6, 4, 5))


def test_a_layout_in_memory_does_not_change_what_is_packed() -> None:
    image = torch.randn(4, 3, 4, 4)
    packed, _ = Packing().discriminator_input(image.contiguous(memory_format=torch.channels_last), None)
    assert torch.equal(packed, Packing().discriminator_input(image, None)[0])


def test_points_are_packed_like_images() -> None:
    points = torch.arange(8.0).view(4, 2, 1, 1)
    packed, _ = Packing().discriminator_input(points, None)
    assert packed.view(2, 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_pack_has_one_score() -> None:
    made = duel(Plane(torch.tensor([1.0, 10.0]).view(2, 1, 1)), Packing())
    assert made.judge(torch.tensor([1.0, 2.0, 3.0, 4.0]).view(4, 1, 1, 1)).score.tolist() == [21, 43]


@pytest.mark.parametrize("conditional", [True, False])
def test_a_method_builds_its_discriminator_for_packs_and_trains(conditional: bool) -> None:
    method, engine = pix2pix([DiffAugment(), Packing(packed=2)], conditional=conditional)
    first = method.duel.discriminator.blocks[0][0]  # type: ignore[index, union-attr]
    assert first.in_channels == (12 if conditional else 6)  # type: ignore[union-attr]
    losses = train(method, engine, 2, count=4)
    assert set(losses[0]) == {"d_real", "d_fake", "g_l1", "g_adversarial"}


def test_two_packings_multiply() -> None:
    method, engine = pix2pix([Packing(packed=2), Packing(packed=2)], conditional=False)
    assert method.duel.discriminator.blocks[0][0].in_channels == 12  # type: ignore[index, union-attr]
    train(method, engine, 1, count=4)


def test_gradients_reach_every_image_of_a_pack() -> None:
    made = duel(critic(10), Packing())
    fake, condition = torch.randn(4, 3, 8, 8, requires_grad=True), torch.randn(4, 2, 8, 8)
    made.generator_losses(fake, real=fake.detach(), condition=condition)["g_adversarial"].backward()
    assert fake.grad is not None
    assert bool(fake.grad.flatten(1).any(1).all())


@pytest.mark.parametrize(("count", "fits"), [(1, "gets 3$"), (2, "gets 3$"), (4, "gets 3 or 6$")])
def test_a_batch_that_does_not_split_is_refused_with_sizes_that_do(count: int, fits: str) -> None:
    with pytest.raises(I2IError, match=fits) as caught:
        Packing(packed=3).discriminator_input(torch.zeros(count, 3, 4, 4), None)
    assert caught.value.code == "E_RECIPE"


@pytest.mark.parametrize("training", [{"batch_size": 3}, {"batch_size": 2, "accumulate_steps": 2}])
def test_a_training_whose_batches_do_not_split_never_begins(
    run_tiny: Train, pairs: object, tmp_path: object, training: dict[str, int]
) -> None:
    with pytest.raises(I2IError, match="do not split into such packs") as caught:
        run_tiny("run", {"stabilisers": ["packing"], "training": training})
    assert caught.value.exit_code == 2
    assert not (tmp_path / "run" / "recipe.yaml").exists()  # type: ignore[operator]


def test_packs_of_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2, got 1"):
        Packing(packed=1)
