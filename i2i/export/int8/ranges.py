"""From which number to which a value runs: counted while pictures stream by, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 4096  # a power of 2
LEVELS = 255
# Shares of the counts that may lie outside on either side; the one with the least error is taken.
_TAILS = (0.0, 1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 5e-3)
_SMALLEST = 1e-6


class Histogram:
    """Counts of a value's numbers in `BINS` equal bins from `-reach` to `reach`, which is a power of 2.

    When a larger number comes, `reach` doubles and the counts of two bins become those of one.
    """

    def __init__(self) -> None:
        self.reach = _SMALLEST
        self.counts: NDArray[np.int64] = np.zeros(BINS, np.int64)
        self.low = self.high = 0.0

    def add(self, values: NDArray[np.float32]) -> None:
        """Count numbers."""
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self._widen(max(-self.low, self.high))
        places = ((values + self.reach) * (BINS / (2 * self.reach))).astype(np.int32)
        self.counts += np.bincount(np.minimum(places, BINS - 1).ravel(), minlength=BINS)

    def positive(self) -> Histogram:
        """What a Relu leaves of the numbers; the zeros, which every range represents, are not counted."""
        made = Histogram()
        made.reach, made.high, made.counts = self.reach, self.high, self.counts.copy()
        made.counts[: BINS // 2] = 0
        return made

    def limits(self) -> tuple[float, float]:
        """The range (low <= 0 <= high) whose `LEVELS` steps lose least, by squared error; beyond it is its end."""
        pairs = {self._cut(tail) for tail in _TAILS}
        return min(sorted(pairs), key=lambda pair: self._error(*pair))

    def _cut(self, tail: float) -> tuple[float, float]:
        total = self.counts.sum()
        if tail == 0.0 or total == 0:
            return self.low, self.high
        width = 2 * self.reach / BINS
        below = np.cumsum(self.counts) / total
        low = float(np.searchsorted(below, tail)) * width - self.reach
        high = float(np.searchsorted(below, 1 - tail) + 1) * width - self.reach
        return max(min(low, 0.0), self.low), min(max(high, 0.0), self.high)

    def _error(self, low: float, high: float) -> float:
        """The sum of squared errors: a twelfth of a step's square each within, the way to the nearest end outside."""
        middles = (np.arange(BINS) + 0.5) * (2 * self.reach / BINS) - self.reach
        outside = np.maximum(low - middles, 0) + np.maximum(middles - high, 0)
        return float(np.sum(self.counts * (outside**2 + ((high - low) / LEVELS) ** 2 / 12)))

    def _widen(self, reach: float) -> None:
        while self.reach < reach:
            pairs = self.counts.reshape(-1, 2).sum(1)
            self.counts = np.zeros_like(self.counts)
            self.counts[BINS // 4 : 3 * BINS // 4] = pairs
            self.reach *= 2


def merged(parts: Sequence[Histogram]) -> Histogram:
    """The counts of several together."""
    whole = Histogram()
    whole.reach = max(part.reach for part in parts)
    for part in parts:
        copy = Histogram()
        copy.reach, copy.counts = part.reach, part.counts.copy()
        copy._widen(whole.reach)
        whole.counts += copy.counts
        whole.low, whole.high = min(whole.low, part.low), max(whole.high, part.high)
    return whole


def step_and_zero(low: float, high: float) -> tuple[np.float32, np.uint8]:
    """The step between two 8-bit numbers, and the one that stands for 0, of a range with 0 in it."""
    step = max(high - low, _SMALLEST) / LEVELS
    return np.float32(step), np.uint8(min(max(round(-low / step), 0), LEVELS))
