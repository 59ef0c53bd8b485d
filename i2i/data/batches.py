"""Batches in the order of the run, made in this process or by workers, the same bytes either way."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from i2i.data.cache import PictureCache
from i2i.data.sampler import Draw, StatelessSampler
from i2i.errors import I2IError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))


class Samples(Protocol):
    """What the loader needs of a data set: samples as a function of a draw, and the scaling of a batch.

    A sample is a tuple of arrays, always as many of the same shapes (a pair has two): uint8 pictures, and numbers that
    are known of them. `scale` takes as many tensors, the samples stacked, and gives the batch, its pictures in the
    card's value range.
    """

    cache: PictureCache[Any]

    def __len__(self) -> int: ...

    def __getitem__(self, draw: Draw, /) -> tuple[np.ndarray, ...]: ...

    def preload(self) -> None:
        """Fill the cache with what workers are to share."""

    @property
    def scale(self) -> Callable[..., Any]:
        """From the stacked samples to the batch."""
        ...


def loader(
    dataset: Samples,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    stop_step: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Batches:
    """The batches of the steps start_step .. stop_step-1, `batch_size` samples each for this process.

    Step s holds the positions s * batch_size * world up to the next step's; rank r takes every world-th of them from r
    on. The result is to be closed (`with loader(...) as batches:`); workers end with it.
    """
    whole_batch = batch_size * world
    sampler = StatelessSampler(
        len(dataset), seed=seed, start=start_step * whole_batch, stop=stop_step * whole_batch, rank=rank, world=world
    )
    return Batches(dataset, sampler, batch_size=batch_size, workers=workers)


class Batches(Iterator[Any]):
    """An iterator of batches. Raises the `I2IError` of a sample that cannot be made, wherever it was made."""

    def __init__(self, dataset: Samples, sampler: Sampler[Draw], *, batch_size: int, workers: int) -> None:
        self._dataset = dataset
        self._length = len(range(0, len(sampler), batch_size))  # type: ignore[arg-type]
        self._loader: Iterator[_Bytes | I2IError] | None = _start(dataset, sampler, batch_size, workers)
        # Workers ignore SIGTERM, so multiprocessing's own farewell would wait for them for ever: stop them before it.
        self._farewell = _close_later(weakref.ref(self)) if workers else None

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._loader is None:
            raise StopIteration
        made = next(self._loader)
        if isinstance(made, I2IError):
            self.close()
            raise made
        return self._dataset.scale(*made)

    def close(self) -> None:
        """End the workers. The iterator is then exhausted; closing twice is fine."""
        loader, self._loader = self._loader, None
        if isinstance(loader, _MultiProcessingDataLoaderIter):
            # Not left to the last reference: a traceback may hold one until after multiprocessing's farewell.
            loader._shutdown_workers()
        if self._farewell is not None:
            atexit.unregister(self._farewell)
            self._farewell = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_Bytes = tuple[Tensor, ...]  # pictures as uint8 (N, H, W, C): a quarter of the shared memory of float32


class _Fetcher(Dataset[_Bytes]):
    """Makes a whole batch at once, and hands over an expected error as a value: torch could not rebuild it."""

    def __init__(self, dataset: Samples) -> None:
        self.dataset = dataset

    def __getitems__(self, draws: list[Draw]) -> _Bytes | I2IError:
        try:
            samples = [self.dataset[draw] for draw in draws]
        except I2IError as error:
            return error
        return tuple(torch.from_numpy(np.stack(arrays)) for arrays in zip(*samples, strict=True))


def _start(dataset: Samples, sampler: Sampler[Draw], batch_size: int, workers: int) -> Iterator[_Bytes | I2IError]:
    if workers:
        dataset.preload()
    made: DataLoader[_Bytes] = DataLoader(
        _Fetcher(dataset),
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        collate_fn=_unchanged,
        worker_init_fn=partial(_settle, parent=os.getpid()) if workers else None,
        generator=torch.Generator().manual_seed(0),  # else it would draw from the global one
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )
    if not workers:
        return iter(made)
    # A signal to the group must not hit a worker between its birth and `_settle`.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        return iter(made)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _unchanged(batch: Any) -> Any:
    return batch


def _settle(worker: int, *, parent: int) -> None:
    """In a new worker: signals are the parent's business, one thread each, one part of the cache."""
    import cv2

    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()

    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    cv2.setNumThreads(0)
    info = get_worker_info()
    if info is not None and isinstance(info.dataset, _Fetcher):
        info.dataset.dataset.cache.share(info.num_workers)


def _end_with(parent: int) -> None:
    """Wait for the parent's death and follow at once, whatever this worker is waiting for."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _close_later(reference: weakref.ref[Batches]) -> _Farewell:
    farewell = _Farewell(reference)
    atexit.register(farewell)
    return farewell


class _Farewell:
    """Closes the batches at the end of the process if they are still there."""

    def __init__(self, reference: weakref.ref[Batches]) -> None:
        self._reference = reference

    def __call__(self) -> None:
        batches = self._reference()
        if batches is not None:
            batches.close()
