"""An evaluation shown to people: as lines of text for the terminal and as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping

from i2i.evaluation.chart import number
from i2i.evaluation.evaluate import Evaluation, Translated
from i2i.evaluation.grids import grid
from i2i.evaluation.page import page, paragraph, picture, section, table
from i2i.evaluation.report import direction


def text_table(evaluations: Mapping[str, Evaluation]) -> str:
    """Metrics down, evaluations across, and which values are better; plain text with aligned columns."""
    head, rows = _cells(evaluations)
    lines = [head, *rows]
    widths = [max(len(line[c]) for line in lines) for c in range(len(head))]
    aligned = [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
            + [line[-1]]
        ).rstrip()
        for line in lines
    ]
    return "\n".join(aligned)


def scores_page(evaluations: Mapping[str, Evaluation], *, title: str, note: str = "") -> str:
    """The page: the table of all evaluations; of the first one the worst pictures and every picture's values."""
    first = next(iter(evaluations.values()))
    head, rows = _cells(evaluations)
    names = list(first.images[0].scores) if first.images else []
    values = [[image.name, *(_shown(image.scores[name]) for name in names)] for image in first.images]
    return page(
        title,
        paragraph(f"{first.n} pictures. {note}".strip(), soft=True),
        section("Metrics", table(head, rows)),
        section(f"The {len(first.worst)} worst pictures", *[_row(entry, first) for entry in first.worst]),
        section("Every picture", table(["picture", *names], values) if names else ""),
    )


def _cells(evaluations: Mapping[str, Evaluation]) -> tuple[list[str], list[list[str]]]:
    metrics = list(dict.fromkeys(name for evaluation in evaluations.values() for name in evaluation.metrics))
    rows = [
        [metric, *(_shown(evaluation.metrics.get(metric)) for evaluation in evaluations.values()), direction(metric)]
        for metric in metrics
    ]
    return ["metric", *evaluations, "better"], rows


def _row(entry: Translated, evaluation: Evaluation) -> str:
    scores = next(image.scores for image in evaluation.images if image.name == entry.name)
    values = ", ".join(f"{name} {_shown(value)}" for name, value in scores.items())
    pixels = grid([[entry.source, entry.output, entry.target]], ("source", "output", "target"))
    return picture(pixels, alt=f"{entry.name}: source, output and target", caption=f"{entry.name}: {values}")


def _shown(value: float | None) -> str:
    return "-" if value is None else number(value)
