"""The report of a run folder: curves, sample grids over time, metrics, recipe and environment in one HTML file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from i2i import files
from i2i.evaluation.chart import chart, number
from i2i.evaluation.page import charts, code, page, paragraph, picture, pictures, section, table
from i2i.images.codec import read
from i2i.metrics import METRICS

MOST_GRIDS = 12
HEALTH = ("diversity", "contrast", "told_apart")  # of the numbers about the health of a training, those that are shown


class Log(NamedTuple):
    """What log.jsonl says: curves as (step, value) by name, the last step with its time, and what was found to be wrong
    with the training, as (step, finding); no findings at all, not even none, where nobody looked.
    """

    losses: dict[str, list[tuple[float, float]]]
    metrics: dict[str, list[tuple[float, float]]]
    rates: dict[str, list[tuple[float, float]]]
    speed: list[tuple[float, float]]
    last_step: int
    health: dict[str, list[tuple[float, float]]]
    findings: list[tuple[int, dict[str, Any]]]


def write_report(run: Path, *, out: Path | None = None) -> Path:
    """Write the report of the run folder `run` to `out` (RUN/report.html), replacing an older one; returns its path.

    Whatever the folder does not hold yet is left out, so the report can be written at any time. Raises `I2IError`:
    E_NOSPACE, E_IO, and the codec's codes for a damaged sample grid.
    """
    log = read_log(run / "log.jsonl")
    out = run / "report.html" if out is None else out
    files.publish_text(out, _document(run, log), overwrite=True)
    return out


def read_log(path: Path) -> Log:
    """The curves of a log.jsonl; a missing file has none, and lines that are torn are passed over."""
    log = Log({}, {}, {}, [], 0, {}, [])
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for entry in map(_parsed, lines):
        step = entry.get("step")
        if not isinstance(step, int):
            continue
        log = log._replace(last_step=max(log.last_step, step))
        _append(log.losses, step, entry.get("losses"))
        _append(log.metrics, step, entry.get("metrics"))
        _append(log.health, step, entry.get("health"))
        log.findings.extend((step, finding) for finding in _findings(entry))
        _append(log.rates, step, entry.get("learning_rates", entry.get("lr")))
        if isinstance(entry.get("ms_per_step"), int | float):
            log.speed.append((step, entry["ms_per_step"]))
    return log


def metrics_table(values: Mapping[str, float]) -> str:
    """Metrics with what is better, as an HTML table."""
    return table(
        ["metric", "value", "better"], [[name, number(value), direction(name)] for name, value in values.items()]
    )


def direction(name: str) -> str:
    """In words, which values of a metric are better; empty for one that is not ours."""
    if name not in METRICS:
        return ""
    return {True: "higher", False: "lower", None: "nearer 1"}[METRICS[name].higher_is_better]


def thinned(paths: Sequence[Path], most: int) -> list[Path]:
    """At most `most` of the paths, evenly spread, with the first and the last."""
    if len(paths) <= most:
        return list(paths)
    return [paths[round(i * (len(paths) - 1) / (most - 1))] for i in range(most)]


def _document(run: Path, log: Log) -> str:
    grids = thinned(sorted((run / "samples").glob("*.png")), MOST_GRIDS)
    last = {name: curve[-1][1] for name, curve in log.metrics.items()}
    return page(
        f"Run {run.resolve().name}",
        paragraph(_summary(log), soft=True),
        section("Metrics on the validation pictures", metrics_table(last) if last else ""),
        section("Health", *_health(log)),
        section("Last samples", *[_grid(path, "The last sample grid") for path in grids[-1:]]),
        section("Metrics over time", charts([_metric_chart(name, curve) for name, curve in log.metrics.items()])),
        section("Losses", charts([chart(name, curve) for name, curve in log.losses.items()])),
        section("Speed and learning rate", charts(_progress_charts(log))),
        section("Samples over time", pictures([_grid(path, "Sample grid") for path in grids])),
        section("Recipe", *[code(text) for text in _texts(run / "recipe.yaml")]),
        section("Environment", *[_environment(text) for text in _texts(run / "environment.json")]),
    )


def _summary(log: Log) -> str:
    if not log.last_step:
        return "Nothing has been logged yet."
    speed = f", {number(log.speed[-1][1])} ms per step" if log.speed else ""
    return f"{log.last_step:,} steps{speed}."


def _health(log: Log) -> list[str]:
    """What was found to be wrong and when it passed, with the numbers behind it."""
    if not log.health:
        return []
    rows = [[number(step), str(finding.get("message", ""))] for step, finding in log.findings]
    shown = [(name, curve) for name, curve in log.health.items() if name.startswith(HEALTH)]
    told = table(["step", "finding"], rows) if rows else paragraph("Nothing to complain about.")
    return [told, charts([chart(name.replace("_", " "), curve, reference=_reference(name)) for name, curve in shown])]


def _reference(name: str) -> float:
    """Where a healthy training would like to be: as different and as lively as the pictures; a critic that guesses."""
    return 0.5 if name.startswith("told_apart") else 1.0


def _findings(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    health = entry.get("health")
    found = health.get("findings") if isinstance(health, Mapping) else None
    return [finding for finding in found if isinstance(finding, dict)] if isinstance(found, list) else []


def _metric_chart(name: str, curve: list[tuple[float, float]]) -> str:
    ratio = name in METRICS and METRICS[name].higher_is_better is None
    better = direction(name)
    return chart(name, curve, note=f"{better} is better" if better else "", reference=1.0 if ratio else None)


def _progress_charts(log: Log) -> list[str]:
    speed = [chart("ms per step", log.speed)] if log.speed else []
    return speed + [chart(f"learning rate {name}", curve) for name, curve in log.rates.items()]


def _grid(path: Path, words: str) -> str:
    step = f"step {int(path.stem):,}" if path.stem.isdigit() else path.stem
    return picture(read(path).pixels, alt=f"{words}, {step}", caption=step)


def _texts(path: Path) -> list[str]:
    return [path.read_text(encoding="utf-8")] if path.exists() else []


def _environment(text: str) -> str:
    values = _parsed(text)
    rows = [[name, value if isinstance(value, str) else json.dumps(value)] for name, value in values.items()]
    return table(["", ""], rows) if rows else code(text)


def _append(curves: dict[str, list[tuple[float, float]]], step: int, values: object) -> None:
    if isinstance(values, Mapping):
        for name, value in values.items():
            if isinstance(value, int | float):
                curves.setdefault(str(name), []).append((step, value))


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
