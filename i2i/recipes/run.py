"""One training from a recipe to a finished run folder, new or resumed.

RUN/ holds recipe.yaml (resolved, measured choices included), data.json (a digest of every file), environment.json,
log.jsonl, samples/, checkpoints/, model/ and, at the end, report.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from i2i import files
from i2i.data.batches import loader
from i2i.data.images_source import PicturesSource
from i2i.data.scan import Scan
from i2i.data.source import DataSource
from i2i.errors import Exit, I2IError
from i2i.evaluation import MONITORS
from i2i.evaluation.targets import Told
from i2i.images.card import ImageCard
from i2i.metrics import METRICS
from i2i.metrics.metric import gain
from i2i.recipes import choices, folder
from i2i.recipes.build import Builder
from i2i.recipes.initial import start_from
from i2i.training.engine import Engine, Processes
from i2i.training.loop import Trainer

Say = Callable[[str], None]


def train(recipe: Any, run: Path, *, resume: bool, init: Path | str | None, say: Say) -> Exit:
    """Train what the recipe says in the folder `run`; returns how it ended.

    `init` names a model whose generator weights to start from. Raises `I2IError` for everything that forbids a start,
    and E_NONFINITE when the numbers break.
    """
    processes = Processes()
    first = processes.rank == 0
    with files.lock(run) if first else nullcontext():
        if first:
            folder.check(run, resume=resume)
        processes.wait()
        say = say if first else _silent
        if resume:
            recipe = folder.as_begun(recipe, run)
        scan = _scan(recipe, say)
        if resume:
            folder.check_data(scan, run)
        recipe, speed = choices.decided(recipe, processes)
        say(speed)
        trainer = _trainer(recipe, run, processes, scan, say, init=None if resume else init)
        if resume:
            _go_on(trainer, recipe, run, say)
        if first:
            folder.write_recipe(recipe, run) if resume else folder.describe(recipe, run, scan, init=init)
        ended = trainer.train()
        if first:
            _finish(run, say, ended)
        processes.wait()
    return ended


def _silent(line: str) -> None:
    """What the other processes say."""


def _scan(recipe: Any, say: Say) -> Scan:
    builder = Builder(recipe)
    scan: Scan = builder.data().scan()
    for warning in scan.warnings:
        say(f"WARNING: {warning}")
    scan.raise_if_bad()
    if not scan.samples.get("train"):
        found = ", ".join(split for split, samples in scan.samples.items() if samples) or "no pictures at all"
        raise I2IError("E_LAYOUT", f"there is no split 'train', only {found}", path=recipe.data.root)
    builder.check_labels()
    counts = ", ".join(f"{len(samples)} {split}" for split, samples in scan.samples.items())
    say(f"data: {counts}; every file read and sound")
    return scan


def _go_on(trainer: Trainer, recipe: Any, run: Path, say: Say) -> None:
    """Bring a trainer to where its run stands; a run that was stopped before its first checkpoint starts again."""
    for line in folder.other_versions(recipe, run):
        say(f"WARNING: not the machine this run began on, so not the same to the bit: {line}")
    if not folder.has_checkpoints(run):
        say("WARNING: the run was stopped before its first checkpoint; starting at step 0")
        (run / "log.jsonl").unlink(missing_ok=True)
        return
    for line in trainer.resume():
        say(f"WARNING: {line}")
    if trainer.step > recipe.training.steps:
        message = f"the run is at step {trainer.step} already; --steps {recipe.training.steps} lies behind it"
        raise I2IError("E_USAGE", message, path=run)
    say(f"resuming at step {trainer.step} of {recipe.training.steps}")


def _trainer(recipe: Any, run: Path, processes: Processes, scan: Scan, say: Say, *, init: Path | str | None) -> Trainer:
    training, builder = recipe.training, Builder(recipe)
    data, method = builder.data(), builder.method()
    cards = builder.cards(method, name=run.resolve().name)
    if init is not None:
        for line in start_from(method, cards, init):
            say(line)
    dataset = data.training_set(value_range=builder.value_range, seed=training.seed)
    device = choices.device_of(training.device, processes)
    engine = Engine(
        method.players(),
        settings=builder.optimisers(method),
        device=device,
        precision=training.precision,
        channels_last=training.channels_last,
        accumulate_steps=training.accumulate_steps,
        clip_norm=training.clip_norm,
        order=recipe.optimiser.order,
        processes=processes,
    )

    def batches(start: int, stop: int) -> Any:
        return loader(
            dataset,
            batch_size=choices.share(training, processes),
            seed=training.seed,
            start_step=start,
            stop_step=stop,
            workers=training.workers,
            rank=processes.rank,
            world=processes.count,
        )

    looks, pictures = _looks(data, cards, scan, count=training.monitored_pictures)
    monitor = MONITORS[looks](pictures, cards=cards, metrics=training.metrics, best=training.keep_best, device=device)
    return Trainer(
        method,
        engine=engine,
        cards=cards,
        options=builder.loop_options(),
        batches=batches,
        monitor=monitor,
        gain=lambda name, value: gain(METRICS[name].higher_is_better, value),
        run=run,
    )


def _looks(data: DataSource, cards: Mapping[str, ImageCard], scan: Scan, *, count: int) -> tuple[str, list[Any]]:
    """Who looks at the training, and at what: pictures of one kind may be made from noise, or translated."""
    from_noise = next(iter(cards.values())).latent is not None
    if isinstance(data, PicturesSource) and not from_noise:
        return "conditioned", [Told(*sample) for sample in data.told(scan, count=count)]
    return data.monitor, data.monitored(scan, count=count)


def _finish(run: Path, say: Say, ended: Exit) -> None:
    from i2i.evaluation.report import write_report

    if ended is Exit.DONE:
        say(f"report: {write_report(run)}")
        say(f"model:  {run / 'model'}")
    else:
        say(f"stopped; the state is saved, go on with --resume --out {run}")
