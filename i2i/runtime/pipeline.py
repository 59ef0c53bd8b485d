"""Reading, translating and writing at the same time, in order, with a bounded number of pictures in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from i2i.runtime.plan import Item
from i2i.runtime.stages import ItemError, Job, Skipped, Stages, Written

# Pictures decoded ahead, on their way through the model, and results waiting behind may take this much each, for each
# lane of the model, judged by the latest picture. A larger picture has the memory for itself: it keeps the model busy
# for so long that overlapping would gain nothing.
_AHEAD_BYTES = 2**23

Result = Written | Skipped | ItemError
Translated = Job | Skipped | ItemError


def flow(
    items: Sequence[Item], stages: Stages, *, workers: int, stopped: Callable[[], bool], lanes: int = 1
) -> Iterator[Result]:
    """Yield what became of each item, in the order of the items.

    `lanes` threads translate, `workers` threads decode ahead and `workers` encode behind. At most
    2 * (workers + lanes) + 2 pictures are in memory, of a model that takes several together (lanes + 2) times as many
    more, and of large ones (`_AHEAD_BYTES`) only one. Once `stopped()` is true nothing new is begun: pictures that are
    being written are finished, the others are dropped. Any other error ends the flow in the same way and is raised.
    """
    together = stages.together if lanes > 1 else 1
    most = max(lanes, 2 * lanes // together)  # groups on their way beside the one that is waited for
    waiting = iter(items)
    reading: deque[Future[Job | Skipped]] = deque()
    translating: deque[Future[list[Translated]]] = deque()
    writing: deque[Future[Written] | Skipped | ItemError] = deque()
    ahead = 0
    with ExitStack() as stack:
        writers = _pool(stack, workers, "write")
        translators = _pool(stack, lanes, "translate")
        readers = _pool(stack, workers, "read")
        while not stopped():
            while len(reading) <= ahead and (item := next(waiting, None)) is not None:
                reading.append(readers.submit(stages.read, item))
            if reading:
                group = [reading.popleft() for _ in range(min(together, len(reading)))]
                translating.append(translators.submit(_translated, group, stages))
                del group
            if not translating:
                break
            if len(translating) <= min(most, ahead) and reading:
                continue
            for job in translating.popleft().result():
                if isinstance(job, Job):
                    ahead = min(max(workers, 2 * lanes), max(lanes, 2) * _AHEAD_BYTES // job.pixels.nbytes)
                writing.append(writers.submit(stages.write, job) if isinstance(job, Job) else job)
            del job  # else it would stay in memory beside the next one
            while len(writing) > ahead:
                yield _result(writing.popleft())
        while writing:
            yield _result(writing.popleft())


def _pool(stack: ExitStack, threads: int, name: str) -> ThreadPoolExecutor:
    """Threads that end with the block; what they have not begun then is dropped."""
    pool = ThreadPoolExecutor(threads, f"i2i-{name}")
    stack.callback(pool.shutdown, cancel_futures=True)
    return pool


def _translated(futures: Sequence[Future[Job | Skipped]], stages: Stages) -> list[Translated]:
    """What became of each, in order."""
    read = [_read(future) for future in futures]
    made = iter(stages.translate_all([job for job in read if isinstance(job, Job)]))
    return [next(made) if isinstance(job, Job) else job for job in read]


def _read(future: Future[Job | Skipped]) -> Translated:
    try:
        return future.result()
    except ItemError as error:
        return error


def _result(work: Future[Written] | Skipped | ItemError) -> Result:
    if not isinstance(work, Future):
        return work
    try:
        return work.result()
    except ItemError as error:
        return error
