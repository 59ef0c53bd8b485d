"""The pool of earlier fake images: what is shown, what is kept, what survives a resume."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from i2i.adversarial.stabilisers.history_pool import HistoryPool
from i2i.training import checkpoint
from tests.adversarial.parts import critic, duel, pix2pix, train


def flat(*values: float, planes: int = 3) -> Tensor:
    """Pictures (N, planes, 2, 2) of one value each."""
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, planes, 2, 2).clone()


def show(pool: HistoryPool, *values: float) -> list[float]:
    shown, condition = pool.discriminator_fake(flat(*values), None)
    assert condition is None
    assert all(len(set(image.flatten().tolist())) == 1 for image in shown)
    return [float(image[0, 0, 0]) for image in shown]


def held(pool: HistoryPool) -> list[float]:
    return [float(image[0, 0, 0]) for image in pool.stored]


def test_until_it_is_full_every_image_is_stored_and_shown() -> None:
    pool = HistoryPool(size=5)
    assert show(pool, 1, 2) == [1, 2]
    assert show(pool, 3, 4) == [3, 4]
    assert held(pool) == [1, 2, 3, 4, 0]
    assert show(pool, 5) == [5]
    assert held(pool) == [1, 2, 3, 4, 5]
    assert int(pool.count) == 5


def test_a_full_pool_shows_the_new_image_or_a_stored_one_in_whose_place_it_comes() -> None:
    torch.manual_seed(0)
    pool = HistoryPool(size=4)
    show(pool, 1, 2, 3, 4)
    changed = 0
    for new in range(5, 405):
        before = held(pool)
        (shown,) = show(pool, new)
        after = held(pool)
        if shown == new:
            assert after == before
        else:
            place = before.index(shown)
            assert after == [*before[:place], new, *before[place + 1 :]]
            changed += 1
    assert 160 <= changed <= 240  # 400 throws of a coin: 200 and 4 standard deviations of 10


def test_every_place_of_the_pool_is_exchanged() -> None:
    torch.manual_seed(0)
    pool = HistoryPool(size=4)
    show(pool, *range(1, 5))
    show(pool, *range(5, 105))
    assert min(held(pool)) > 4


def test_an_image_keeps_its_condition() -> None:
    torch.manual_seed(0)
    pool = HistoryPool(size=3)
    stored = 0
    for step in range(20):
        values = [2.0 * step, 2.0 * step + 1]
        shown, condition = pool.discriminator_fake(flat(*values), 100 + flat(*values, planes=2))
        assert condition is not None
        assert (shown.shape, condition.shape) == ((2, 3, 2, 2), (2, 2, 2, 2))
        assert torch.equal(condition, 100 + shown[:, :2])
        stored += sum(float(image[0, 0, 0]) not in values for image in shown)
    assert stored > 5


def test_the_discriminator_is_shown_the_pool_and_the_generator_is_not_touched_by_it() -> None:
    torch.manual_seed(0)
    pool = HistoryPool(size=2)
    made = duel(critic(5), pool)
    condition = torch.randn(2, 2, 8, 8)
    fakes = []
    for _ in range(6):
        fake = torch.randn(2, 3, 8, 8, requires_grad=True)
        losses, _ = made.discriminator_losses(torch.randn(2, 3, 8, 8), fake, condition=condition)
        losses["d_fake"].backward()
        assert fake.grad is None
        fakes += list(fake.detach())
    assert not pool.stored.requires_grad
    assert all(any(torch.equal(image[:3], fake) for fake in fakes) for image in pool.stored)
    before = pool.stored.clone()
    fake = torch.randn(2, 3, 8, 8, requires_grad=True)
    made.generator_losses(fake, real=fake.detach(), condition=condition)["g_adversarial"].backward()
    assert fake.grad is not None
    assert torch.equal(pool.stored, before)


def test_what_was_shown_does_not_change_with_the_pool() -> None:
    torch.manual_seed(0)
    pool = HistoryPool(size=1)
    show(pool, 1)
    shown, _ = pool.discriminator_fake(flat(*range(2, 12)), None)
    before = shown.clone()
    pool.stored.zero_()
    assert torch.equal(shown, before)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp64"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_restored_training_takes_the_same_next_steps(at: int, precision: str) -> None:
    one, two = (pix2pix([HistoryPool(size=3)], precision=precision) for _ in range(2))
    train(*one, at)
    # Through a checkpoint's leaves, which lie in memory as they were read from a file.
    tensors, words = checkpoint.flatten(one[0].state_dict())
    two[0].load_state_dict(checkpoint.unflatten({**words, **{n: t.clone() for n, t in tensors.items()}}))
    two[1].load_state(one[1].state())
    assert train(*one, range(at, at + 3)) == train(*two, range(at, at + 3))
    state = two[0].state_dict()
    assert all(torch.equal(value, state[name]) for name, value in one[0].state_dict().items())


def test_an_empty_pool_takes_the_place_of_a_filled_one() -> None:
    pool = HistoryPool(size=2)
    show(pool, 1, 2)
    pool.load_state_dict(HistoryPool(size=2).state_dict())
    assert pool.stored.numel() == 0
    assert show(pool, 7) == [7]
    assert held(pool) == [7, 0]


def test_half_precision_is_kept_as_float32() -> None:
    pool = HistoryPool(size=1)
    shown, _ = pool.discriminator_fake(flat(0.5).bfloat16(), None)
    assert (pool.stored.dtype, shown.dtype) == (torch.float32, torch.float32)


def test_a_pool_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        HistoryPool(size=0)
