"""Converting a folder or a picture: everything is refused first or done; nothing half-written gets a final name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from i2i.errors import Exit, I2IError
from i2i.files import lock, sweep
from i2i.runtime.conditions import changed, domain_folders
from i2i.runtime.failures import NAME as FAILURES
from i2i.runtime.failures import Failure, Failures
from i2i.runtime.manifest import NAME as MANIFEST
from i2i.runtime.manifest import Entry, Manifest, read_manifests
from i2i.runtime.outputs import Format
from i2i.runtime.pipeline import Result, flow
from i2i.runtime.plan import Folders, Item, Shard, plan_folder, plan_one, refuse_existing, spread
from i2i.runtime.stages import ItemError, Job, Skipped, Stages, Written
from i2i.runtime.translator import Translator

Existing = Literal["refuse", "overwrite", "resume"]


@dataclass(frozen=True)
class Options:
    """How to convert.

    `domain`: its name; `every_domain`: each of them, in a folder of its own. `attributes`: what to change, by name.
    `wanted`: type of the outputs; "same" keeps each input's type where it can be written, else PNG.
    `existing`: what to do with outputs that are there: refuse to begin, replace them, or keep those that the manifest
    proves complete and do the rest ("resume"). `workers`: threads that decode and as many that encode.
    """

    domain: str | None = None
    every_domain: bool = False
    attributes: Mapping[str, float] | None = None
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


# What becomes of items, from them and the arguments of `Stages` beside the translator.
Results = Callable[[list[Item], Mapping[str, Any]], Iterable[Result]]
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

    def results(items: list[Item], stages: Mapping[str, Any]) -> Iterator[Result]:
        own = Stages(translator, **stages)
        return flow(items, own, workers=options.workers, stopped=stopped, lanes=translator.lanes)

    return convert_with(
        results, translator, source, output, model=model, options=options, report=report, stopped=stopped
    )


def convert_with(
    results: Results,
    translator: Translator,
    source: Path,
    output: Path,
    *,
    model: str,
    options: Options,
    report: Report = lambda outcome, result: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """`convert_folder` where something else does the pictures: planning, refusing, the lock, manifest and failures.

    `results` is given the items and the arguments of `Stages` beside the translator, and yields what becomes of each.
    """
    items = _planned(translator, source, output, options, _folders(translator, options))
    suffix = options.shard.suffix
    with ExitStack() as stack:
        done = _existing(items, output, options)
        stack.enter_context(lock(output / f".shard{suffix}" if suffix else output))
        sweep(output)
        failures = Failures(output / f"{FAILURES}{suffix}.jsonl")
        manifest = stack.enter_context(Manifest(output / f"{MANIFEST}{suffix}.jsonl"))
        overwrite = options.existing != "refuse"
        stages = {"model": model, "attributes": options.attributes, "done": done, "overwrite": overwrite}
        return _run(items, results(items, stages), report, stopped, manifest=manifest, failures=failures)


def convert_one(
    translator: Translator, source: Path, output: Path, *, into_folder: bool, model: str, options: Options
) -> list[Path]:
    """Translate one picture into the file `output`, or into the folder `output`; returns the file, or that of each
    domain.

    Raises `ItemError` when the picture cannot be translated, and `I2IError`: E_EXISTS, E_INOUT_OVERLAP, E_USAGE,
    E_CONDITION, E_NOSPACE, E_IO.
    """
    if options.existing == "resume":
        raise I2IError("E_USAGE", "--resume is for folders; for one picture use --overwrite")
    items = _planned_one(translator, source, output, options, into_folder=into_folder)
    overwrite = options.existing == "overwrite"
    if not overwrite:
        refuse_existing(items)
    stages = Stages(translator, model=model, attributes=options.attributes, done={}, overwrite=overwrite)
    for item in items:
        job = stages.read(item)
        if isinstance(job, Job):
            stages.write(stages.translate(job))
    return [item.output for item in items]


def _folders(translator: Translator, options: Options) -> Folders:
    """Where the pictures of each domain go. Raises `I2IError` (E_CONDITION) for what does not fit the card."""
    card, folders = translator.card, dict[str | None, Path]()
    if not options.every_domain:
        folders[options.domain] = Path()
    elif card.condition is None or card.condition.kind != "domains":
        raise I2IError("E_CONDITION", f"model '{card.name}' takes no domain, so it cannot make all of them")
    else:
        folders.update(domain_folders(card.condition.names))
    for domain in folders:
        changed(card, 1, domain=domain, attributes=options.attributes)
    return folders


def _planned_one(
    translator: Translator, source: Path, output: Path, options: Options, *, into_folder: bool
) -> list[Item]:
    folders, target = _folders(translator, options), translator.card.target
    if not into_folder and any(folder != Path() for folder in folders.values()):
        raise I2IError("E_USAGE", f"is no folder, and every domain gets one below it; end it in {os.sep}", path=output)
    item = plan_one(source, output, into_folder=into_folder, target=target, wanted=options.wanted)
    return spread(item, output if into_folder else output.parent, folders)


def _planned(translator: Translator, source: Path, output: Path, options: Options, folders: Folders) -> list[Item]:
    if output.exists() and not output.is_dir():
        raise I2IError("E_USAGE", "is a file; a folder of pictures needs a folder to go to", path=output)
    return plan_folder(
        source,
        output,
        target=translator.card.target,
        wanted=options.wanted,
        keep_extension=options.keep_extension,
        shard=options.shard,
        folders=folders,
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
    results: Iterable[Result],
    report: Report,
    stopped: Callable[[], bool],
    *,
    manifest: Manifest,
    failures: Failures,
) -> Outcome:
    outcome, start = Outcome(len(items), failures.path), time.monotonic()
    for result in results:
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
