"""A translator of fonts measured font by font: held-out characters that it writes beside the real glyphs.

Distances (METRICS) are those of single glyphs. `accuracy` is of the style: how many written glyphs a judge, which has
learnt from the real training glyphs which font a glyph is of, reads as the font that was asked for; it means something
beside `real_accuracy`, how many real held-out glyphs of that font it reads right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from i2i.data.fonts_source import FontsSource
from i2i.data.glyphs import GRAY, Glyph
from i2i.errors import I2IError
from i2i.evaluation.evaluate import Evaluation, Picture, Sample, Translate, evaluate
from i2i.evaluation.judge import MOST, STEPS, Judge, taught
from i2i.evaluation.monitor import evenly
from i2i.metrics.suite import Suite
from i2i.runtime.conditions import changed
from i2i.runtime.translator import Translator

METRICS = ("l1", "psnr", "ssim", "ink_iou")
ACCURACY, REAL_ACCURACY = "accuracy", "real_accuracy"
MODEL = "model"  # the subject beside the baselines

Watched = Callable[[Sequence[Sample], str], Iterable[Sample]]


class FontJudge:
    """Says which of the fonts `names` glyphs, uint8 (H, W, 1), are of."""

    def __init__(self, judge: Judge, names: Sequence[str]) -> None:
        self._judge = judge
        self.names = tuple(names)

    def accuracy(self, glyphs: Sequence[Picture], font: str) -> float:
        """The share of the glyphs that are read as the font."""
        return float(self._judge(glyphs)[:, self.names.index(font)].mean())

    def chances(self, glyphs: Sequence[Picture], font: str) -> NDArray[np.float64]:
        """How likely it is of each glyph, by the judge, that it is of the font: float64 (N,)."""
        chances: NDArray[np.float64] = self._judge.chances(glyphs)[:, self.names.index(font)]
        return chances


def font_judge(
    data: FontsSource, names: Sequence[str], *, steps: int = STEPS, progress: Callable[[], object] = lambda: None
) -> FontJudge:
    """A judge of the fonts `names` of the data, which has learnt from their real training glyphs (of at most `MOST`).

    `progress` is called after each of the `steps`. Raises `I2IError` (E_BAD_DATA) for less than two fonts.
    """
    if len(names) < 2:
        raise I2IError("E_BAD_DATA", f"{len(names)} fonts: there is nothing to tell apart", path=data.root)
    glyphs = [glyph for glyph in data.glyphs()["train"] if glyph.font in names]
    chosen = evenly(glyphs, MOST)
    fonts = np.array([glyph.font for glyph in chosen])
    has = fonts[:, None] == np.array(names)
    judge = taught(_real(data, chosen), has, ~has, exclusive=True, steps=steps, progress=progress)
    return FontJudge(judge, names)


def samples_of(data: FontsSource, glyphs: Iterable[Glyph], font: str) -> list[Sample]:
    """The glyphs of one font beside those of the source, named by font and code point; none for none."""
    own = [glyph for glyph in glyphs if glyph.font == font]
    if not own:
        return []
    folder = data.folder(own, value_range=(-1.0, 1.0), seed=0).glyphs
    return [Sample(glyph.name, *folder.whole(at)) for at, glyph in enumerate(own)]


def evaluate_font(
    translator: Translator,
    samples: Sequence[Sample],
    font: str,
    *,
    suite: Callable[[], Suite],
    learnt: Sequence[Sample] | None = None,
    judge: FontJudge | None = None,
    worst: int = 0,
    watched: Watched = lambda samples, subject: samples,
) -> dict[str, Evaluation]:
    """What `model` makes of the samples of a font; with the samples that were `learnt` from, the baselines as well:
    `source`, the source glyph as it is, and `mean`, the mean of the glyphs learnt.

    `suite` makes new metrics, with a `judge` accuracies stand beside them. `worst` glyphs of the model are kept.
    `watched` gives the samples of each subject, and can show where it is.
    """
    wanted = changed(translator.card, 1, domain=font)
    subjects: dict[str, Translate] = {MODEL: lambda pixels: translator.apply(pixels, **wanted._asdict())}
    if learnt is not None:
        mean = mean_glyph([sample.target for sample in learnt])
        subjects |= {"source": lambda pixels: pixels, "mean": lambda pixels: mean}
    found = {}
    for subject, translate in subjects.items():
        made: list[Picture] = []
        one = evaluate(
            _kept(translate, made),
            watched(samples, subject),
            suite=suite(),
            worst=worst if subject == MODEL else 0,
        )
        found[subject] = one if judge is None else _with(one, {ACCURACY: judge.accuracy(made, font)})
    if judge is not None:
        real = judge.accuracy([sample.target for sample in samples], font)
        found[MODEL] = _with(found[MODEL], {REAL_ACCURACY: real})
    return found


def means(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """The metrics that all fonts have, each the mean over the fonts."""
    names = [name for name in evaluations[0].metrics if all(name in one.metrics for one in evaluations)]
    return {name: fmean(one.metrics[name] for one in evaluations) for name in names}


def mean_glyph(glyphs: Sequence[Picture]) -> Picture:
    """The mean of glyphs, rounded."""
    return np.asarray(np.round(np.mean(glyphs, axis=0)), np.uint8)


def scored(
    outputs: Sequence[Picture], targets: Sequence[Picture], *, metrics: Sequence[str] = METRICS
) -> tuple[dict[str, float], list[float]]:
    """The metrics of glyphs, uint8 (H, W, 1), against the real ones, and of each pair the overlap of ink (0 where
    neither has any); `metrics` hold ink_iou.
    """
    suite = Suite(metrics, pixels=GRAY)
    suite.update(*(torch.from_numpy(np.stack(glyphs)) for glyphs in (outputs, targets)))
    return suite.compute(), [value or 0.0 for value in suite.per_image()["ink_iou"]]


def _real(data: FontsSource, glyphs: Sequence[Glyph]) -> list[Picture]:
    faces = data.typefaces
    return [faces[glyph.number].draw(glyph.character)[:, :, None] for glyph in glyphs]


def _kept(translate: Translate, made: list[Picture]) -> Translate:
    """`translate`, whose outputs are added to `made`."""

    def keeping(pixels: Picture) -> Picture:
        made.append(translate(pixels))
        return made[-1]

    return keeping


def _with(evaluation: Evaluation, more: Mapping[str, float]) -> Evaluation:
    return replace(evaluation, metrics={**evaluation.metrics, **more})
