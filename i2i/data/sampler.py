"""The stateless order: which sample comes when is a function of (seed, position), never of what was drawn before.

A position is the global count of samples since step 0: `step * batch_size * world + i`. Epoch `e` covers the
positions `e * size` to `(e + 1) * size - 1` and is one permutation of the data set. Nothing is kept between draws, so
a run can be continued at any position with any number of workers and no state in its checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

# The last word of Philox's 256-bit counter keeps the streams apart: drawing never moves it.
_ORDER = 1
_SAMPLE = 2
_LABELS = 3

# Where the samples begin that are looked at and not trained on: far behind any training position.
PREVIEW_POSITION = 1 << 40


class Draw(NamedTuple):
    """One sample to make: `index` into the data set, `position` in the run's global order (0, 1, 2 ...)."""

    index: int  # type: ignore[assignment]  # hides the method tuple.index
    position: int


def _philox(seed: int, key: int, stream: int) -> np.random.Philox:
    if not 0 <= seed < 2**64:
        raise ValueError(f"a seed lies in 0..2**64-1, not {seed}")
    return np.random.Philox(key=np.array([seed, key], np.uint64), counter=np.array([0, 0, 0, stream], np.uint64))


def order(seed: int, epoch: int, size: int) -> np.ndarray:
    """The permutation of 0..size-1 (int64, [size]) in which `epoch` visits the data set."""
    return _permutation(seed, epoch, size, _ORDER)


def labelled(seed: int, domain: int, size: int) -> np.ndarray:
    """The permutation of 0..size-1 (int64, [size]) in which the pictures of a domain get labels when not all do."""
    return _permutation(seed, domain, size, _LABELS)


def second_seed(seed: int) -> int:
    """Another seed, as good as unrelated: for the second of two sets that are drawn from independently."""
    return int(np.random.SeedSequence([seed, 2]).generate_state(1, np.uint64)[0])


class Turns:
    """Groups of `sizes` members that take turns, whatever their sizes: each goes through its own members again and
    again, in orders of its own.

    Of as many positions in a row as there are groups, from a multiple of that on, each group has one. Who comes first
    is drawn, so that processes that share out the positions see all groups.
    """

    def __init__(self, sizes: Sequence[int], *, seed: int) -> None:
        if not sizes or min(sizes) < 1:
            raise ValueError(f"groups have one member at least, got sizes {list(sizes)}")
        self.sizes = tuple(sizes)
        *self._seeds, self._first = np.random.SeedSequence([seed, 3]).generate_state(len(sizes) + 1, np.uint64).tolist()
        # Kept only because making an order takes time.
        self._orders: dict[int, tuple[int, np.ndarray]] = {}

    def __call__(self, position: int) -> tuple[int, int]:
        """The group whose turn it is, and which of its members."""
        block, place = divmod(position, len(self.sizes))
        group = int(order(self._first, block, len(self.sizes))[place])
        epoch, turn = divmod(block, self.sizes[group])
        if self._orders.get(group, (-1,))[0] != epoch:
            self._orders[group] = epoch, order(self._seeds[group], epoch, self.sizes[group])
        return group, int(self._orders[group][1][turn])


def _permutation(seed: int, key: int, size: int, stream: int) -> np.ndarray:
    # Made from raw random words, whose values numpy promises to keep from version to version.
    words = np.asarray(_philox(seed, key, stream).random_raw(size), np.uint64)
    return np.argsort(words, kind="stable")


def rng(seed: int, position: int) -> np.random.Generator:
    """The generator of everything random about the sample at `position`; independent of every other position."""
    return np.random.Generator(_philox(seed, position, _SAMPLE))


class StatelessSampler(Sampler[Draw]):
    """Yields the draws of the positions start + rank, start + rank + world, ... below stop.

    `size` is the length of the data set (at least 1). `rank` of `world` processes take turns, so together they see
    exactly the positions start .. stop-1, each once.
    """

    def __init__(self, size: int, *, seed: int, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        if size < 1:
            raise ValueError("the data set is empty")
        if not 0 <= rank < world:
            raise ValueError(f"rank {rank} of {world} processes does not exist")
        self.size = size
        self.seed = seed
        self.positions = range(start + rank, stop, world)

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Draw]:
        epoch, indices = -1, np.empty(0, np.int64)
        for position in self.positions:
            if position // self.size != epoch:
                epoch = position // self.size
                indices = order(self.seed, epoch, self.size)
            yield Draw(int(indices[position % self.size]), position)
