"""Converting a folder on a Ray cluster, for those who have one: `pip install "i2i[ray]"`.

Every worker opens the model once and reads and writes pictures itself, so all machines have to see the two folders
under the same paths, and have i2i. The manifest and the list of failures are written by the caller alone, as each
picture is reported done: the promises are those of `i2i.runtime.convert`, `--resume` included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from i2i.errors import missing_package
from i2i.runtime.convert import Options, Outcome, Report, convert_with
from i2i.runtime.manifest import Entry
from i2i.runtime.plan import Item
from i2i.runtime.stages import ItemError, Job, Skipped, Stages, Written
from i2i.runtime.translator import Translator

Row = dict[str, Any]


class Converter:
    """A callable class for `ray.data.Dataset.map`: a row with an `item` becomes one with its `result` and `failure`.

    `opened` makes the translator, once a worker: `functools.partial(open_model, resolve("relief.onnx"), threads=1)`.
    `model`, `attributes`, `done` and `overwrite` are those of `Stages`.
    """

    def __init__(
        self,
        opened: Callable[[], Translator],
        *,
        model: str,
        attributes: Mapping[str, float] | None = None,
        done: dict[str, Entry] | None = None,
        overwrite: bool = False,
    ) -> None:
        self._stages = Stages(opened(), model=model, attributes=attributes, done=done or {}, overwrite=overwrite)

    def __call__(self, row: Row) -> Row:
        """Convert the picture of one row. Raises `I2IError` (E_NOSPACE, E_IO) when nothing more can be written."""
        try:
            job = self._stages.read(row["item"])
            done: Written | Skipped = self._stages.write(self._stages.translate(job)) if isinstance(job, Job) else job
        except ItemError as error:
            return {"result": None, "failure": error.failure}
        return {"result": done, "failure": None}


def convert_folder(
    opened: Callable[[], Translator],
    source: Path,
    output: Path,
    *,
    model: str,
    options: Options,
    workers: int = 2,
    report: Report = lambda outcome, result: None,
) -> Outcome:
    """Translate every picture below `source` into the same tree below `output`, on `workers` workers of the cluster.

    `opened` makes the translator, here for its card and once a worker; `options.workers` is not used. Everything else
    is as in `i2i.runtime.convert.convert_folder`, errors included; and E_MISSING_PACKAGE without Ray.
    """
    try:
        import ray.data
    except ImportError:
        raise missing_package("ray", "ray") from None

    def results(items: list[Item], stages: Mapping[str, Any]) -> Any:
        if not items:
            return
        rows = ray.data.from_items([{"item": item} for item in items], override_num_blocks=_blocks(items, workers))
        converter: Any = Converter  # Ray makes one of it in every worker
        done = rows.map(
            converter, fn_constructor_args=[opened], fn_constructor_kwargs=dict(stages), concurrency=workers
        )
        for row in done.iter_rows():
            yield row["result"] if row["failure"] is None else ItemError(row["failure"])

    return convert_with(results, opened(), source, output, model=model, options=options, report=report)


def _blocks(items: list[Item], workers: int) -> int:
    """Rows come back a block at a time: of some pictures, so that a stop costs little, but a few for every worker."""
    return min(len(items), max(4 * workers, len(items) // 16))
