"""The order of samples is a function of the seed and the position, and of nothing else."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from i2i.data.sampler import Draw, StatelessSampler, Turns, order, rng

sizes = st.integers(1, 40)
seeds = st.integers(0, 2**64 - 1)


@given(seeds, st.integers(0, 2**40), st.integers(1, 300))
def test_an_epoch_is_a_permutation(seed: int, epoch: int, size: int) -> None:
    indices = order(seed, epoch, size)
    assert indices.dtype == np.int64
    assert sorted(indices.tolist()) == list(range(size))


def test_epochs_and_seeds_have_their_own_orders() -> None:
    orders = {tuple(order(seed, epoch, 30).tolist()) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


@given(seeds, sizes, st.integers(0, 100), st.integers(0, 100), st.integers(1, 5))
def test_processes_share_out_the_positions_each_once(seed: int, size: int, start: int, count: int, world: int) -> None:
    alone = list(StatelessSampler(size, seed=seed, start=start, stop=start + count))
    shares = [
        list(StatelessSampler(size, seed=seed, start=start, stop=start + count, rank=rank, world=world))
        for rank in range(world)
    ]
    assert sorted((draw for share in shares for draw in share), key=lambda draw: draw.position) == alone
    assert [draw.position for draw in alone] == list(range(start, start + count))
    for rank, share in enumerate(shares):
        assert [draw.position % world for draw in share] == [(start + rank) % world] * len(share)


@given(seeds, sizes, st.integers(0, 120))
@settings(max_examples=50)
def test_a_restart_anywhere_continues_the_same_sequence(seed: int, size: int, restart: int) -> None:
    whole = list(StatelessSampler(size, seed=seed, start=0, stop=120))
    assert list(StatelessSampler(size, seed=seed, start=restart, stop=120)) == whole[restart:]


@given(seeds, sizes)
def test_every_epoch_visits_every_index_once(seed: int, size: int) -> None:
    indices = [draw.index for draw in StatelessSampler(size, seed=seed, start=0, stop=3 * size)]
    for epoch in range(3):
        assert sorted(indices[epoch * size : (epoch + 1) * size]) == list(range(size))


def test_the_length_is_the_number_of_draws() -> None:
    sampler = StatelessSampler(10, seed=0, start=3, stop=14, rank=1, world=3)
    assert len(sampler) == len(list(sampler)) == 4  # positions 4, 7, 10, 13
    assert list(sampler) == list(sampler)


def test_the_order_of_a_seed_is_pinned_since_checkpoints_rely_on_it() -> None:
    words = np.random.Philox(key=np.array([7, 2], np.uint64), counter=np.array([0, 0, 0, 1], np.uint64)).random_raw(8)
    assert order(7, 2, 8).tolist() == sorted(range(8), key=lambda i: int(words[i])) == [1, 3, 0, 6, 4, 7, 5, 2]


def test_positions_have_independent_generators() -> None:
    first = [rng(3, position).integers(2**63) for position in range(200)]
    assert len(set(first)) == 200
    assert rng(3, 17).integers(2**63) == first[17]
    assert rng(4, 17).integers(2**63) != first[17]


def test_the_order_does_not_repeat_the_samples_own_numbers() -> None:
    # Both use Philox with the key (seed, number): the streams have to be apart all the same.
    ours = np.random.Generator(np.random.Philox(key=np.array([5, 1], np.uint64)))
    assert rng(5, 1).integers(2**63) != ours.integers(2**63)
    assert np.argsort(rng(5, 1).bit_generator.random_raw(50)).tolist() != order(5, 1, 50).tolist()


def test_no_global_generator_is_drawn_from() -> None:
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    list(StatelessSampler(10, seed=1, start=0, stop=30))
    rng(1, 2).random(10)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


@pytest.mark.parametrize("rank", [-1, 2])
def test_a_rank_outside_the_world_is_refused(rank: int) -> None:
    with pytest.raises(ValueError, match="of 2 processes does not exist"):
        StatelessSampler(3, seed=0, start=0, stop=1, rank=rank, world=2)


def test_an_empty_data_set_and_a_bad_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        StatelessSampler(0, seed=0, start=0, stop=1)
    with pytest.raises(ValueError, match="seed"):
        order(-1, 0, 3)


def test_a_draw_says_which_picture_and_when() -> None:
    (draw,) = StatelessSampler(1, seed=0, start=6, stop=7)
    assert draw == Draw(index=0, position=6)


@settings(max_examples=20)
@given(seeds, st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 4))
def test_groups_take_turns_and_each_goes_through_all_of_its_members(seed: int, sizes: list[int], world: int) -> None:
    turns, count = Turns(sizes, seed=seed), len(sizes)
    drawn = [turns(position) for position in range(count * 12)]
    for start in range(0, len(drawn), count):
        assert sorted(group for group, _ in drawn[start : start + count]) == list(range(count))
    for group, size in enumerate(sizes):
        members = [member for of, member in drawn if of == group]
        for start in range(0, 12 // size * size, size):
            assert sorted(members[start : start + size]) == list(range(size))
    # A draw does not depend on those before it, and every process sees every group.
    assert [Turns(sizes, seed=seed)(position) for position in range(5)] == drawn[:5]
    for rank in range(world):
        assert {turns(position)[0] for position in range(rank, 400, world)} == set(range(count))


def test_groups_have_orders_of_their_own_and_none_is_empty() -> None:
    turns = Turns([40, 40], seed=1)
    drawn = [turns(position) for position in range(80)]
    one, two = ([member for of, member in drawn if of == group] for group in (0, 1))
    assert one != two
    assert [member for _, member in (Turns([40, 40], seed=2)(position) for position in range(40))] != one
    for sizes in ([], [3, 0]):
        with pytest.raises(ValueError, match="groups have one member at least"):
            Turns(sizes, seed=0)
