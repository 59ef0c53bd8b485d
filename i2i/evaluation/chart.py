"""Line charts as inline SVG, without a library and without anything fetched; they follow the page's light or dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 30, 26
BUCKETS = 200


def chart(title: str, points: Points, *, note: str = "", reference: float | None = None) -> str:
    """One curve of (step, value) as an SVG element, with the last value in its heading.

    More than 200 points are averaged in 200 buckets, with a band from each bucket's least to its greatest value.
    `reference` draws a dashed level line. Values that are not finite are left out; without any value the chart says so.
    """
    finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if not finite:
        return _frame(title, f"{title}: no values", _text(WIDTH / 2, HEIGHT / 2, "no values", "middle"))
    buckets = _buckets(finite)
    levels = [y for _, y in finite] + ([] if reference is None else [reference])
    place = _Axes(buckets[0][0], buckets[-1][0], min(levels), max(levels))
    body = place.grid()
    if reference is not None:
        y = place.y(reference)
        body += f'<path class="reference" d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}"/>'
    if len(buckets) < len(finite):
        edge = [(x, high) for x, _, _, high in buckets] + [(x, low) for x, _, low, _ in reversed(buckets)]
        body += f'<path class="band" d="{place.path(edge)}Z"/>'
    body += f'<path class="curve" d="{place.path([(x, mean) for x, mean, _, _ in buckets])}"/>'
    end = place.x(buckets[-1][0]), place.y(buckets[-1][1])
    body += f'<circle class="end" cx="{end[0]:.1f}" cy="{end[1]:.1f}" r="2.5"/>'
    first, last = finite[0], finite[-1]
    described = (
        f"{title} from {number(first[1])} at step {number(first[0])} to {number(last[1])} at step {number(last[0])}"
    )
    return _frame(f"{title} {number(last[1])}", described, body, note=note)


class _Axes:
    """Where a point lies in the chart, and the lines that say so."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self.left, self.right = left, right if right > left else left + 1
        margin = (high - low) * 0.06 or max(abs(high) * 0.05, 1e-6)
        self.low, self.high = low - margin, high + margin

    def x(self, value: float) -> float:
        return LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def path(self, points: Points) -> str:
        """The points as the data of an SVG path."""
        return "M" + "L".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def grid(self) -> str:
        """Level lines with their values, and the values along the bottom."""
        parts = []
        for value in ticks(self.low, self.high, count=4):
            y = self.y(value)
            parts.append(f'<path class="level" d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(_text(LEFT - 6, y + 3.5, number(value), "end"))
        for value in ticks(self.left, self.right, count=4):
            x = self.x(value)
            edge = x > WIDTH - 24  # a label in the middle of the last line would be cut off
            parts.append(
                _text(WIDTH - 6 if edge else x, HEIGHT - BOTTOM + 16, number(value), "end" if edge else "middle")
            )
        return "".join(parts)


def ticks(low: float, high: float, *, count: int) -> list[float]:
    """Round values within low..high, about `count` of them: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def number(value: float) -> str:
    """A value in at most four digits for people: 0.0123, 23.46, 1,200, 1.5e-07."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if abs(value) < 1e-4:
        return f"{value:.3g}"
    if float(value).is_integer() or abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _buckets(points: Points) -> list[tuple[float, float, float, float]]:
    """(last x, mean, least, greatest) of at most `BUCKETS` runs of points."""
    size = max(1, math.ceil(len(points) / BUCKETS))
    runs = [points[i : i + size] for i in range(0, len(points), size)]
    return [
        (run[-1][0], math.fsum(y for _, y in run) / len(run), min(y for _, y in run), max(y for _, y in run))
        for run in runs
    ]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _frame(heading: str, described: str, body: str, *, note: str = "") -> str:
    head = f'<text class="heading" x="6" y="16">{escape(heading)}</text>'
    side = f'<text class="note" x="{WIDTH - RIGHT}" y="16" text-anchor="end">{escape(note)}</text>' if note else ""
    label = escape(described, quote=True)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"<title>{label}</title>{head}{side}{body}</svg>"
    )
