"""Converting a folder or a picture: everything is refused first or done; nothing half-written gets a final name."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from i2i.errors import Exit, I2IError
from i2i.files import lock, sweep
from i2i.runtime.conditions import domain_index
from i2i.runtime.failures import NAME as FAILURES
from i2i.runtime.failures import Failure, Failures
from i2i.runtime.manifest import NAME as MANIFEST
from i2i.runtime.manifest import Entry, Manifest, read_manifests
from i2i.runtime.outputs import Format
from i2i.runtime.pipeline import flow
from i2i.runtime.plan import Item, Shard, plan_folder, plan_one, refuse_existing
from i2i.runtime.stages import ItemError, Job, Skipped, Stages, Written
from i2i.runtime.translator import Translator

Existing = Literal["refuse", "overwrite", "resume"]


@dataclass(frozen=True)
class Options:
    """How to convert.

    `wanted`: type of the outputs; "same" keeps each input's type where it can be written, else PNG.
    `existing`: what to do with outputs that are there: refuse to begin, replace them, or keep those that the manifest
    proves complete and do the rest ("resume"). `workers`: threads that decode and as many that encode.
    """

    domain: str | None = None
    wanted: Format = "same"
    keep_extension: bool = False
    existing: Existing = "refuse"
    workers: int = 2
    shard: Shard = field(default_factory=Shard)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise I2IError("E_USAGE", f"{self.workers} workers; at least 1 is needed")


@dataclass
class Outcome:
    """What has been done so far. `seconds`: since the first picture was begun; `failures`: the file that lists them."""

    total: int
    failures: Path
    converted: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    stopped: bool = False

    @property
    def finished(self) -> int:
        """Pictures whose fate is known."""
        return self.converted + self.skipped + self.failed

    @property
    def exit_code(self) -> Exit:
        """0 when everything is done, 1 when a picture failed. A stop's code is known to whoever asked for it."""
        return Exit.ITEMS_FAILED if self.failed else Exit.DONE


# Called after each picture.
Report = Callable[[Outcome, Written | Skipped | Failure], None]


def convert_folder(
    translator: Translator,
    source: Path,
    output: Path,
    *,
    model: str,
    options: Options,
    report: Report = lambda outcome, result: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Translate every picture below `source` into the same tree below `output`.

    `model`: a digest of the model, kept in the manifest. `stopped`: asked between pictures. Pictures that fail are
    listed in `failures.jsonl` and passed to `report`; what is written is listed in `manifest.jsonl`.

    Raises `I2IError` before any work: E_NO_IMAGES, E_INOUT_OVERLAP, E_COLLISION, E_EXISTS, E_CONDITION, E_USAGE,
    E_LOCKED; and when nothing more can be written: E_NOSPACE, E_IO.
    """
    domain_index(translator.card, options.domain)
    items = _planned(translator, source, output, options)
    suffix = options.shard.suffix
    with ExitStack() as stack:
        done = _existing(items, output, options)
        stack.enter_context(lock(output / f".shard{suffix}" if suffix else output))
        sweep(output)
        stages = Stages(
            translator, model=model, domain=options.domain, done=done, overwrite=options.existing != "refuse"
        )
        failures = Failures(output / f"{FAILURES}{suffix}.jsonl")
        manifest = stack.enter_context(Manifest(output / f"{MANIFEST}{suffix}.jsonl"))
        return _run(items, stages, options.workers, report, stopped, manifest=manifest, failures=failures)


def convert_one(
    translator: Translator, source: Path, output: Path, *, into_folder: bool, model: str, options: Options
) -> Path:
    """Translate one picture into the file `output`, or into the folder `output`; returns the file.

    Raises `ItemError` when the picture cannot be translated, and `I2IError`: E_EXISTS, E_INOUT_OVERLAP, E_USAGE,
    E_CONDITION, E_NOSPACE, E_IO.
    """
    if options.existing == "resume":
        raise I2IError("E_USAGE", "--resume is for folders; for one picture use --overwrite")
    item = plan_one(source, output, into_folder=into_folder, target=translator.card.target, wanted=options.wanted)
    overwrite = options.existing == "overwrite"
    if not overwrite:
        refuse_existing([item])
    stages = Stages(translator, model=model, domain=options.domain, done={}, overwrite=overwrite)
    job = stages.read(item)
    if isinstance(job, Job):
        stages.write(stages.translate(job))
    return item.output


def _planned(translator: Translator, source: Path, output: Path, options: Options) -> list[Item]:
    if output.exists() and not output.is_dir():
        raise I2IError("E_USAGE", "is a file; a folder of pictures needs a folder to go to", path=output)
    return plan_folder(
        source,
        output,
        target=translator.card.target,
        wanted=options.wanted,
        keep_extension=options.keep_extension,
        shard=options.shard,
    )


def _existing(items: Sequence[Item], output: Path, options: Options) -> dict[str, Entry]:
    """The entries to verify and skip; refuses outputs that are there and that nothing explains."""
    if options.existing == "overwrite":
        return {}
    entries = read_manifests(output) if options.existing == "resume" else None
    if entries is None:
        refuse_existing(items)
    return entries or {}


def _run(
    items: Sequence[Item],
    stages: Stages,
    workers: int,
    report: Report,
    stopped: Callable[[], bool],
    *,
    manifest: Manifest,
    failures: Failures,
) -> Outcome:
    outcome, start = Outcome(len(items), failures.path), time.monotonic()
    for result in flow(items, stages, workers=workers, stopped=stopped):
        if isinstance(result, ItemError):
            outcome.failed += 1
            failures.add(result.failure)
        elif isinstance(result, Skipped):
            outcome.skipped += 1
        else:
            outcome.converted += 1
            if result.entry is not None:
                manifest.add(result.entry)
        outcome.seconds = time.monotonic() - start
        report(outcome, result.failure if isinstance(result, ItemError) else result)
    outcome.stopped = stopped() and outcome.finished < outcome.total
    return outcome
