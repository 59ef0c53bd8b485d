"""The proof that an .onnx file is the translator: the same pictures through both engines, compared byte by byte."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2i.errors import I2IError
from i2i.images.card import ImageCard, Pixels
from i2i.runtime.conditions import changed, drawn
from i2i.runtime.onnx import failures

if TYPE_CHECKING:
    from i2i.weights.session import TorchSession

MOST_LEVELS = 1
MOST_SHARE = 0.001
MOST_RELABELLED = 0.01  # of a label map's pixels, over all probes, where a PSNR is promised of other pictures
_SEED = 20_170_711
_PROBE_SIDE = 32
_MOST_MORE = 8  # pictures of a further probe: few, since networks can be large

Size = tuple[int, int, int, bool]


@dataclass(frozen=True)
class ParityReport:
    """How far two engines were apart over all probes.

    `max_difference` in levels of 255; `differing` of `values` bytes were not equal; `failed` names each probe (its
    shape) that broke the promise: at most 1 level, in fewer than 0.1 % of its values. A single value is forgiven in a
    probe so small that it would be more than that. `squares` is the sum of squared differences.

    The colours of `labels` are names, not amounts: there `values` are pixels, `differing` of them have another label,
    and levels and squares say nothing.

    Where a PSNR was promised in place of this, or, of labels, a share below 1 % over all probes, `failed` says so.
    """

    probes: int
    values: int
    max_difference: int
    differing: int
    failed: tuple[str, ...] = ()
    squares: int = 0
    labels: bool = False

    @property
    def psnr(self) -> float:
        """The PSNR in dB of the mean squared difference over all values; at most 100."""
        return decibel(self.squares / max(self.values, 1))

    @property
    def share(self) -> float:
        """The share of values that were not equal, 0..1."""
        return self.differing / max(self.values, 1)

    def __str__(self) -> str:
        unit = "pixels" if self.labels else "values"
        amount = "another label" if self.labels else f"max difference {self.max_difference} of 255"
        counted = f"in {self.differing} of {self.values} {unit} ({100 * self.share:.4f} %)"
        text = f"{amount}, {counted}, over {self.probes} probes"
        return f"{text}; failed: {', '.join(self.failed)}" if self.failed else text


class Probe(NamedTuple):
    """One input to compare on: a picture or latent, and the domain or condition where the card has one."""

    source: NDArray[np.uint8] | NDArray[np.float32]
    domain: NDArray[np.int64] | None
    condition: NDArray[np.float32] | None

    def inputs(self, card: ImageCard) -> dict[str, NDArray[Any]]:
        """The graph's inputs by name."""
        named = {"image" if card.latent is None else "latent": self.source}
        steering = {"domain": self.domain, "condition": self.condition}
        return named | {name: value for name, value in steering.items() if value is not None}


def decibel(error: float) -> float:
    """The PSNR of a mean squared error in levels of 255; at most 100."""
    return min(100.0, 10 * math.log10(255**2 / error)) if error else 100.0


def compare(session: TorchSession, model: bytes, *, least_psnr: float | None = None) -> ParityReport:
    """Run every probe through the torch session and through onnxruntime's CPU engine on the file's bytes.

    `least_psnr`: this many dB over all probes together are promised, in place of equality; of a label map, that
    less than `MOST_RELABELLED` of all pixels have another label. Raises `I2IError` (E_ONNX_PARITY) when onnxruntime
    cannot run what torch ran.
    """
    import onnxruntime

    given = list(probes(session.card))
    expected = [session.run(probe.source, domain=probe.domain, condition=probe.condition) for probe in given]
    try:
        engine = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        found = [engine.run(None, probe.inputs(session.card))[0] for probe in given]
    except failures() as error:
        message = f"onnxruntime cannot run the graph: {str(error)[:500]}; try --no-rewrites"
        raise I2IError("E_ONNX_PARITY", message) from None
    names = [str(list(probe.source.shape)) for probe in given]
    return judge(list(zip(names, expected, found, strict=True)), session.card.target, least_psnr=least_psnr)


def judge(
    pairs: list[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]], pixels: Pixels, *, least_psnr: float | None = None
) -> ParityReport:
    """Compare (name, expected, got), arrays (..., C), for each probe; a shape that differs fails with the greatest
    difference.
    """
    labels = pixels.colour == "labels"
    failed, values, most, differing, squares = [], 0, 0, 0, 0
    for name, expected, got in pairs:
        same = expected.shape == got.shape
        difference = np.abs(expected.astype(np.int16) - got) if same else np.full(expected.shape, 255, np.int16)
        unlike = difference.any(axis=-1) if labels else difference > 0
        unequal, levels = int(np.count_nonzero(unlike)), int(difference.max(initial=0))
        too_many = unequal > 1 and unequal >= MOST_SHARE * unlike.size
        too_far = levels > MOST_LEVELS and not labels
        if not same or (least_psnr is None and (too_many or too_far)):
            failed.append(name)
        values, most, differing = values + unlike.size, max(most, levels), differing + unequal
        squares += int((difference.astype(np.int64) ** 2).sum())
    report = ParityReport(len(pairs), values, most, differing, tuple(failed), squares, labels)
    broken = None if least_psnr is None else _too_far(report, least_psnr)
    return report if broken is None else replace(report, failed=(*failed, broken))


def _too_far(report: ParityReport, least_psnr: float) -> str | None:
    """How a report breaks the promise that is given in place of equality; None if it does not."""
    if not report.labels:
        kept, found = report.psnr >= least_psnr, f"PSNR {report.psnr:.1f} dB, {least_psnr:g} promised"
    else:
        kept = report.share < MOST_RELABELLED
        found = f"{100 * report.share:.2f} % of the pixels, less than {100 * MOST_RELABELLED:g} % promised"
    return None if kept else found


def probes(card: ImageCard) -> Iterator[Probe]:
    """The inputs to compare on, always the same ones.

    One pixel; smaller than the padding; odd and not square; a batch of 2; larger than the network's size. Pictures
    with soft gradients and hard edges, and noise. Latents in batches of 1, 2 and 7. Every domain occurs, and every
    member of an exclusive group (one of it is on); attributes lie in their ranges, and one more picture keeps its own.
    """
    random = np.random.default_rng(_SEED)
    sizes = _until_all_occurred(_sizes(card), card)
    wanted, start = drawn(card, sum(batch for batch, *_ in sizes), seed=_SEED), 0
    for batch, height, width, noisy in sizes:
        source: NDArray[np.uint8] | NDArray[np.float32]
        if card.latent is not None:
            source = random.standard_normal((batch, card.latent), dtype=np.float32)
        elif noisy:
            source = random.integers(0, 256, (batch, height, width, card.source.channels), dtype=np.uint8)
        else:
            source = np.stack([scene(height, width, card.source, random) for _ in range(batch)])
        yield Probe(source, *wanted.rows(slice(start, start + batch)))
        start += batch
    if card.latent is None and card.condition is not None and card.condition.kind == "attributes":
        yield Probe(source, *changed(card, batch, attributes={}))


def scene(height: int, width: int, pixels: Pixels, random: np.random.Generator) -> NDArray[np.uint8]:
    """A picture (H, W, C) like a photograph in what matters here: gradients, a dark disc, a hard edge, some grain."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64) / max(height, width)
    channels = []
    for _ in range(pixels.channels):
        across, down, phase = random.uniform(0.5, 3.0, 3)
        plane = 0.5 + 0.3 * np.sin(2 * np.pi * (across * x + down * y) + phase)
        plane = np.where((x - 0.4) ** 2 + (y - 0.3) ** 2 < 0.04, 0.4 * plane, plane)
        plane = np.where(x > 0.6 + 0.2 * y, 1.0 - plane, plane)
        channels.append(plane + random.normal(0.0, 0.01, plane.shape))
    picture = np.clip(np.stack(channels, axis=-1), 0.0, 1.0)
    if pixels.colour == "labels":
        classes = np.minimum((picture[..., 0] * len(pixels.palette)).astype(np.int64), len(pixels.palette) - 1)
        return np.asarray(np.array(pixels.palette)[classes], dtype=np.uint8)
    return np.asarray(np.round(picture * 255.0), dtype=np.uint8)


def _until_all_occurred(sizes: list[Size], card: ImageCard) -> list[Size]:
    """More probes of the last size where there are more domains, or members of a group, than pictures."""
    if card.condition is None:
        return sizes
    groups = [card.condition.names] if card.condition.kind == "domains" else card.condition.exclusive_groups
    missing = max(map(len, groups), default=0) - sum(batch for batch, *_ in sizes)
    parts = [min(_MOST_MORE, missing - done) for done in range(0, missing, _MOST_MORE)]
    return [*sizes, *((batch, *sizes[-1][1:]) for batch in parts)]


def _sizes(card: ImageCard) -> list[Size]:
    """Batch, height, width of each probe, and whether it is noise."""
    sizing = card.sizing
    if card.latent is not None:
        return [(1, 0, 0, True), (2, 0, 0, True), (7, 0, 0, True)]
    if sizing.rule == "fixed":
        assert sizing.height is not None and sizing.width is not None
        return [(batch, sizing.height, sizing.width, batch == 3) for batch in (1, 2, 3)]
    high = sizing.height or max(sizing.multiple, sizing.minimum, _PROBE_SIDE)
    wide = sizing.width or max(sizing.multiple, sizing.minimum, _PROBE_SIDE)
    return [
        (1, 1, 1, False),
        (1, 3, 7, False),
        (1, high, wide, False),
        (1, high + 5, wide + 11, False),
        (2, high // 2 + 1, wide + 2, False),
        (2, high - 1, wide, True),
    ]
