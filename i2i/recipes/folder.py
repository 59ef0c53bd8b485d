"""The run folder before and around the training: whose it is, what it began with, what it was run on."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import torch

from i2i import files
from i2i.data.scan import Scan
from i2i.errors import I2IError
from i2i.recipes.merging import dump, read
from i2i.recipes.recipe import MEASURED, differences, validate
from i2i.training.loop import write_json

RECIPE = "recipe.yaml"
DATA = "data.json"
ENVIRONMENT = "environment.json"
CHECKPOINTS = "checkpoints"


def check(run: Path, *, resume: bool) -> None:
    """Raise `I2IError` unless the locked folder is empty (a new run) or holds a run that began (to resume)."""
    begun = (run / RECIPE).exists()
    if resume and not begun:
        raise I2IError("E_CKPT_INCOMPLETE", "there is no run to resume here; train without --resume", path=run)
    taken = [path for path in run.iterdir() if path.name != files.LOCK_NAME]
    if taken and not resume:
        remedy = "--resume goes on with it" if begun else "it holds other files"
        raise I2IError("E_EXISTS", f"the run folder is taken ({remedy}); or choose another --out", path=run)


def has_checkpoints(run: Path) -> bool:
    """Whether the run came as far as its first checkpoint, sound or not."""
    folder = run / CHECKPOINTS
    return folder.is_dir() and any(folder.iterdir())


def as_begun(recipe: Any, run: Path) -> Any:
    """The recipe with what was measured when the run began. Raises `I2IError` (E_CKPT_MISMATCH) for other changes."""
    old = read(run / RECIPE)
    lines = differences(_completed(old), recipe.model_dump(mode="json"))
    if lines:
        listed = "\n  ".join(["the recipe is not the one this run began with:", *lines])
        raise I2IError("E_CKPT_MISMATCH", f"{listed}\nput it back, or train into another folder", path=run)
    values = recipe.model_dump(mode="json")
    for path in MEASURED:
        name = path.removeprefix("training.")
        values["training"][name] = old["training"][name]
    return validate(values)


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """A recipe's values with those options that came later, which are as they were when there was no choice."""
    try:
        complete: dict[str, Any] = validate(values).model_dump(mode="json")
    except I2IError:  # of options that are no more: every difference is told
        return values
    return complete


def check_data(scan: Scan, run: Path) -> None:
    """Raise `I2IError` (E_DATA_CHANGED), with the differences, unless the data are those the run began with."""
    try:
        before = json.loads((run / DATA).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise I2IError("E_CKPT_INCOMPLETE", f"{DATA} cannot be read", path=run) from None
    scan.raise_if_changed(before)


def describe(recipe: Any, run: Path, scan: Scan, *, init: Path | str | None) -> None:
    """Write what the run is; the recipe last, since a folder with a recipe is a run."""
    write_json(run / ENVIRONMENT, environment(recipe, init=init))
    write_json(run / DATA, scan.digests)
    write_recipe(recipe, run)


def write_recipe(recipe: Any, run: Path) -> None:
    """Write the resolved recipe, replacing an older one."""
    files.publish_text(run / RECIPE, dump(recipe.model_dump(mode="json")), overwrite=True)


def other_versions(recipe: Any, run: Path) -> list[str]:
    """A line for each thing that differs from the machine and packages that the run began with."""
    try:
        began = json.loads((run / ENVIRONMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{ENVIRONMENT} cannot be read"]
    now = environment(recipe, init=began.get("init"))
    return [f"{name} was {began.get(name)!r}, now {now[name]!r}" for name in now if began.get(name) != now[name]]


def environment(recipe: Any, *, init: Path | str | None) -> dict[str, Any]:
    """Versions and hardware: what must be equal for a run to repeat bit for bit."""
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
        "init": None if init is None else str(init),
    }
