"""The state of a training run, from the files in its folder alone: no torch, and a running one is left in peace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from i2i.errors import I2IError, printable
from i2i.images.card import ImageCard
from i2i.loading import CARD

_RECIPE, _LOG = "recipe.yaml", "log.jsonl"


def is_run(path: Path) -> bool:
    """Whether `path` is a run folder: it has a recipe, and is no model with the recipe of its training beside it."""
    return (path / _RECIPE).is_file() and not (path / CARD).is_file()


def describe_run(run: Path) -> str:
    """The run in words, one fact a line. Raises `I2IError` (E_RECIPE) when its recipe cannot be read."""
    recipe = _recipe(run / _RECIPE)
    training = _mapping(recipe, "training")
    lines = [
        f"run:           {printable(run)}",
        f"method:        {_type(recipe, 'method')}, generator {_type(recipe, 'generator')}",
        f"data:          {printable(str(_mapping(recipe, 'data').get('root', 'not said')))}",
        *_progress(run / _LOG, training.get("steps")),
        *_health(run / _LOG),
        *_checkpoints(run / "checkpoints"),
        _model(run / "model" / "card.json"),
        *(_model(path) for path in sorted(run.glob("model-*/card.json"))),
    ]
    if (run / "report.html").is_file():
        lines.append(f"report:        {printable(run / 'report.html')}")
    return "\n".join(lines)


def _recipe(path: Path) -> Mapping[str, Any]:
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise I2IError("E_RECIPE", f"cannot be read: {str(error).splitlines()[0]}", path=path) from error
    if not isinstance(recipe, dict):
        raise I2IError("E_RECIPE", "is not a recipe: expected names and values", path=path)
    return recipe


def _mapping(recipe: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = recipe.get(name)
    return value if isinstance(value, dict) else {}


def _type(recipe: Mapping[str, Any], name: str) -> str:
    return str(_mapping(recipe, name).get("type", "not said"))


def _progress(path: Path, steps: Any) -> list[str]:
    entries = list(_entries(path))
    step = max((entry["step"] for entry in entries), default=0)
    lines = [f"steps:         {step} of {steps if steps is not None else 'unknown'}"]
    for name in ("losses", "metrics"):
        last = next((entry for entry in reversed(entries) if isinstance(entry.get(name), dict)), None)
        if last is not None:
            numbers = (f"{key} {value:.4g}" for key, value in last[name].items() if isinstance(value, int | float))
            lines.append(f"{name + ':':15}{', '.join(numbers)} (step {last['step']})")
    return lines


def _health(path: Path) -> list[str]:
    """What is wrong with the training and has not passed."""
    looks = [(entry["step"], entry["health"]) for entry in _entries(path) if isinstance(entry.get("health"), dict)]
    complaints: dict[str, str] = {}
    for step, look in looks:
        for finding in look.get("findings", ()):
            complaints.pop(finding["name"], None)
            if not finding["passed"]:
                complaints[finding["name"]] = printable(f"{finding['message']} (since step {step})")
    if not looks:
        return []
    first, *others = complaints.values() or ["nothing to complain about"]
    return [f"health:        {first}", *(f"{'':15}{other}" for other in others)]


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of the log; one that is being written, or was torn, is passed over."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("step"), int):
            yield entry


def _checkpoints(folder: Path) -> list[str]:
    found = sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.startswith("."))
    if not found:
        return ["checkpoints:   none"]
    states = [f"{printable(path.name)} {_checkpoint(path)}" for path in found]
    return [f"checkpoints:   {'; '.join(states)}"]


def _checkpoint(path: Path) -> str:
    """Whether the files have the sizes that the manifest names; their digests are compared when a run resumes."""
    try:
        manifest = json.loads((path / "MANIFEST.json").read_text(encoding="utf-8"))
        sizes = {path / Path(name).name: entry["bytes"] for name, entry in manifest["files"].items()}
        step = int(manifest["step"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "(incomplete: no readable MANIFEST.json)"
    wrong = [file.name for file, size in sizes.items() if not file.is_file() or file.stat().st_size != size]
    return f"(incomplete: {', '.join(wrong)})" if wrong else f"(step {step}, all files there)"


def _model(path: Path) -> str:
    try:
        card = ImageCard.from_json(path.read_bytes(), path=path)
    except OSError:
        return "model:         none yet"
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items())
    return f"model:         {printable(path.parent)}, step {card.step}" + (f", {metrics}" if metrics else "")
