"""Reading, translating and writing at the same time, in order, with a bounded number of pictures in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from i2i.runtime.plan import Item
from i2i.runtime.stages import ItemError, Job, Skipped, Stages, Written

# Pictures decoded ahead, and results waiting behind, may take this much each, judged by the latest picture. A larger
# picture has the memory for itself: it keeps the model busy for so long that overlapping would gain nothing.
_AHEAD_BYTES = 2**24

Result = Written | Skipped | ItemError


def flow(items: Sequence[Item], stages: Stages, *, workers: int, stopped: Callable[[], bool]) -> Iterator[Result]:
    """Yield what became of each item, in the order of the items.

    The caller's thread translates; `workers` threads decode ahead and `workers` encode behind. At most
    2 * workers + 2 pictures are in memory, and of large ones (`_AHEAD_BYTES`) only one. Once `stopped()` is true
    nothing new is begun: pictures that are being written are finished, the others are dropped. Any other error ends the
    flow in the same way and is raised.
    """
    waiting = iter(items)
    reading: deque[Future[Job | Skipped]] = deque()
    writing: deque[Future[Written] | Skipped | ItemError] = deque()
    ahead = 0
    with ExitStack() as stack:
        readers = stack.enter_context(ThreadPoolExecutor(workers, "i2i-read"))
        writers = stack.enter_context(ThreadPoolExecutor(workers, "i2i-write"))
        stack.callback(readers.shutdown, cancel_futures=True)
        while not stopped():
            while len(reading) <= ahead and (item := next(waiting, None)) is not None:
                reading.append(readers.submit(stages.read, item))
            if not reading:
                break
            job = _translated(reading.popleft(), stages)
            if isinstance(job, Job):
                ahead = min(workers, _AHEAD_BYTES // job.pixels.nbytes)
            writing.append(writers.submit(stages.write, job) if isinstance(job, Job) else job)
            del job  # else it would stay in memory beside the next one
            while len(writing) > ahead:
                yield _result(writing.popleft())
        while writing:
            yield _result(writing.popleft())


def _translated(future: Future[Job | Skipped], stages: Stages) -> Job | Skipped | ItemError:
    try:
        job = future.result()
        return stages.translate(job) if isinstance(job, Job) else job
    except ItemError as error:
        return error


def _result(work: Future[Written] | Skipped | ItemError) -> Result:
    if not isinstance(work, Future):
        return work
    try:
        return work.result()
    except ItemError as error:
        return error
