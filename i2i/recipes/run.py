"""One training from a recipe to a finished run folder, new or resumed.

RUN/ holds recipe.yaml (resolved, measured choices included), data.json (a digest of every file), environment.json,
log.jsonl, samples/, checkpoints/, model/ and, at the end, report.html.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import yaml

from i2i import files
from i2i.data.scan import Scan
from i2i.errors import Exit, I2IError
from i2i.evaluation import MONITORS
from i2i.methods.method import Method
from i2i.metrics import METRICS
from i2i.metrics.metric import gain
from i2i.recipes.build import Builder
from i2i.recipes.merging import read
from i2i.recipes.recipe import MEASURED, differences, validate
from i2i.training import trial
from i2i.training.engine import Engine, Processes
from i2i.training.loop import Trainer, write_json

Say = Callable[[str], None]


def train(recipe: Any, run: Path, *, resume: bool, init: Path | str | None, say: Say) -> Exit:
    """Train what the recipe says in the folder `run`; returns how it ended.

    `init` names a model whose generator weights to start from. Raises `I2IError` for everything that forbids a start,
    and E_NONFINITE when the numbers break.
    """
    processes = Processes()
    first = processes.rank == 0
    if first:
        _check_folder(run, resume=resume)
    processes.wait()
    with files.lock(run) if first else nullcontext():
        say = say if first else _silent
        if resume:
            recipe = _as_begun(recipe, run)
        scan = _scan(recipe, run, resume=resume, say=say)
        recipe = _measured(recipe, processes, scan, say)
        if first:
            _describe(recipe, run, scan)
        trainer = _trainer(recipe, run, processes, scan, init=None if resume else init)
        if resume:
            for line in trainer.resume():
                say(f"WARNING: {line}")
            say(f"resuming at step {trainer.step} of {recipe.training.steps}")
        ended = trainer.train()
        if first:
            _finish(run, say, ended)
        processes.wait()
    return ended


def _silent(line: str) -> None:
    """What the other processes say."""


def _check_folder(run: Path, *, resume: bool) -> None:
    begun = (run / "recipe.yaml").exists()
    if resume and not begun:
        raise I2IError("E_CKPT_INCOMPLETE", "there is no run to resume here; train without --resume", path=run)
    if not resume and run.exists() and (not run.is_dir() or any(run.iterdir())):
        remedy = "--resume goes on with it" if begun else "it holds other files"
        raise I2IError("E_EXISTS", f"the run folder is taken ({remedy}); or choose another --out", path=run)


def _as_begun(recipe: Any, run: Path) -> Any:
    """The recipe with what was measured when the run began. Raises `I2IError` (E_CKPT_MISMATCH) for other changes."""
    old = read(run / "recipe.yaml")
    lines = differences(old, recipe.model_dump(mode="json"))
    if lines:
        listed = "\n  ".join(["the recipe is not the one this run began with:", *lines])
        raise I2IError("E_CKPT_MISMATCH", f"{listed}\nput it back, or train into another folder", path=run)
    values = recipe.model_dump(mode="json")
    for path in MEASURED:
        name = path.removeprefix("training.")
        values["training"][name] = old["training"][name]
    return validate(values)


def _scan(recipe: Any, run: Path, *, resume: bool, say: Say) -> Scan:
    scan: Scan = Builder(recipe).data().scan()
    for warning in scan.warnings:
        say(f"WARNING: {warning}")
    scan.raise_if_bad()
    if "train" not in scan.pairs:
        found = ", ".join(scan.pairs)
        raise I2IError("E_LAYOUT", f"there is no split 'train', only {found}", path=recipe.data.root)
    if resume:
        scan.raise_if_changed(json.loads((run / "data.json").read_text(encoding="utf-8")))
    counts = ", ".join(f"{len(pairs)} {split}" for split, pairs in scan.pairs.items())
    say(f"data: {counts} pairs, every file read and sound")
    return scan


def _measured(recipe: Any, processes: Processes, scan: Scan, say: Say) -> Any:
    """Choose device, threads and precision where they are left open, and say how long the training will take."""
    training = recipe.training
    if training.threads:
        torch.set_num_threads(training.threads)
    device = _device(training.device, processes)
    builder = Builder(recipe)
    method = builder.method()
    dataset = builder.data().training_set(value_range=builder.card(method, name="trial").value_range, seed=0)
    share = _share(training.batch_size, processes)
    batches = builder.data().batches(
        dataset, batch_size=share, seed=0, start_step=0, stop_step=1, workers=0, rank=0, world=1
    )
    tried = trial.candidates(device) if training.precision == "auto" else (training.precision,)
    found = trial.step_milliseconds(
        builder.method,
        next(iter(batches)),
        settings=builder.adam(method),
        precisions=tried,
        device=device,
        channels_last=training.channels_last,
    )
    best = tried[processes.from_first(tried.index(min(found, key=lambda name: found[name])))]
    listed = ", ".join(f"{name} {time:.0f} ms" for name, time in found.items())
    minutes = found[best] * training.steps / 60000
    say(f"precision {best} (a step takes {listed}); about {minutes:.1f} min for {training.steps} steps")
    chosen = {"precision": best, "device": device.type, "threads": torch.get_num_threads()}
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)})


def _device(name: str, processes: Processes) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise I2IError("E_USAGE", "training.device is cuda, but torch finds no usable GPU; leave it at auto")
    return torch.device("cuda", processes.local_rank) if name == "cuda" else torch.device(name)


def _share(batch_size: int, processes: Processes) -> int:
    if batch_size % processes.count:
        fits = -(-batch_size // processes.count) * processes.count
        message = f"training.batch_size {batch_size} does not split over {processes.count} processes; {fits} does"
        raise I2IError("E_RECIPE", message)
    return batch_size // processes.count


def _describe(recipe: Any, run: Path, scan: Scan) -> None:
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    files.publish_text(run / "recipe.yaml", text, overwrite=True)
    write_json(run / "data.json", scan.digests)
    write_json(run / "environment.json", _environment(recipe))


def _environment(recipe: Any) -> dict[str, Any]:
    import numpy
    import torchvision

    import i2i

    return {
        "i2i": i2i.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "device": recipe.training.device,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
    }


def _trainer(recipe: Any, run: Path, processes: Processes, scan: Scan, *, init: Path | str | None) -> Trainer:
    training, builder = recipe.training, Builder(recipe)
    data, method = builder.data(), builder.method()
    if init is not None:
        _start_from(method, init)
    card = builder.card(method, name=run.resolve().name)
    dataset = data.training_set(value_range=card.value_range, seed=training.seed)
    device = _device(training.device, processes)
    engine = Engine(
        method.players(),
        settings=builder.adam(method),
        device=device,
        precision=training.precision,
        channels_last=training.channels_last,
        accumulate_steps=training.accumulate_steps,
        clip_norm=training.clip_norm,
        processes=processes,
    )

    def batches(start: int, stop: int) -> Any:
        return data.batches(
            dataset,
            batch_size=_share(training.batch_size, processes),
            seed=training.seed,
            start_step=start,
            stop_step=stop,
            workers=training.workers,
            rank=processes.rank,
            world=processes.count,
        )

    return Trainer(
        method,
        engine=engine,
        card=card,
        options=builder.loop_options(),
        batches=batches,
        monitor=_monitor(recipe, data, scan, card, device),
        gain=lambda name, value: gain(METRICS[name].higher_is_better, value),
        run=run,
    )


def _monitor(recipe: Any, data: Any, scan: Scan, card: Any, device: torch.device) -> Any:
    pictures = data.monitored(scan, count=recipe.training.monitored_pictures)
    return MONITORS[data.monitor](pictures, card=card, metrics=recipe.training.metrics, device=device)


def _start_from(method: Method, model: Path | str) -> None:
    """Give the main generator the weights of a trained model. Raises `I2IError` (E_CKPT_MISMATCH) unless they fit."""
    from i2i.loading import resolve
    from i2i.weights.store import load_model

    folder = resolve(model, engine="torch").path
    network, card = load_model(folder)
    generator = next(iter(method.generators().values()))
    ours = {name: tuple(tensor.shape) for name, tensor in generator.state_dict().items()}
    theirs = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if ours != theirs:
        options = " ".join(f"--generator.{k} {v}" for k, v in card.network.arguments.items() if k[3:] != "channels")
        message = f"its generator is another network ({card.network.type} {options}); give the recipe the same one"
        raise I2IError("E_CKPT_MISMATCH", message, path=folder)
    generator.load_state_dict(network.state_dict())


def _finish(run: Path, say: Say, ended: Exit) -> None:
    from i2i.evaluation.report import write_report

    if ended is Exit.DONE:
        say(f"report: {write_report(run)}")
        say(f"model:  {run / 'model'}")
    else:
        say(f"stopped; the state is saved, go on with --resume --out {run}")
