"""A translation measured on pictures with known answers: the metrics, each picture's values, the worst pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from i2i.data.reading import Pair
from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.metrics import METRICS
from i2i.metrics.metric import gain
from i2i.metrics.suite import Suite

Picture = NDArray[np.uint8]  # H,W,C
Translate = Callable[[Picture], Picture]


class Sample(NamedTuple):
    """A picture and its known answer, both uint8 H,W,C of one size."""

    name: str
    source: Picture
    target: Picture


class Translated(NamedTuple):
    """A sample and what became of it, all uint8 H,W,C."""

    name: str
    source: Picture
    output: Picture
    target: Picture


class ImageScores(NamedTuple):
    """The values of one picture; None where a metric cannot score it."""

    name: str
    scores: dict[str, float | None]


@dataclass(frozen=True)
class Evaluation:
    """What was measured on `n` pictures: the metrics of the set, of each picture, and the worst pictures."""

    n: int
    metrics: dict[str, float]
    images: tuple[ImageScores, ...]
    worst: tuple[Translated, ...]

    def to_dict(self) -> dict[str, object]:
        """`{"n": 48, "psnr": ..., ..., "images": [{"name": ..., "psnr": ...}, ...]}`, JSON-able and finite."""
        images = [{"name": image.name, **image.scores} for image in self.images]
        return {"n": self.n, **self.metrics, "images": images}

    def to_json(self) -> str:
        """`to_dict` as indented JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"


def read_samples(pairs: Sequence[Pair], *, source: Pixels, target: Pixels) -> Iterator[Sample]:
    """The pairs as whole pictures, one at a time. Raises `I2IError` as `Pair.read`."""
    for pair in pairs:
        yield Sample(pair.name, *pair.read(source_pixels=source, target_pixels=target))


def evaluate(
    translate: Translate,
    samples: Iterable[Sample],
    *,
    suite: Suite,
    worst: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Translate every sample as a whole picture and measure the outputs against the answers.

    `suite` has to be new. The `worst` pictures by the suite's first metric that single pictures have are kept, worst
    first. `progress` is called with each name. Raises `I2IError`: E_NO_IMAGES for no samples, E_PAIR_SIZE when an
    output has another shape than its answer, and what `translate` raises.
    """
    names: list[str] = []
    kept: list[tuple[float, Translated]] = []
    for sample in samples:
        output = translate(sample.source)
        _check_shape(sample, output)
        suite.update(torch.from_numpy(output[None].copy()), torch.from_numpy(sample.target[None].copy()))
        names.append(sample.name)
        if worst:
            kept.append((_latest_gain(suite), Translated(sample.name, sample.source, output, sample.target)))
            kept = sorted(kept, key=lambda entry: entry[0])[:worst]
        if progress is not None:
            progress(sample.name)
    if not names:
        raise I2IError("E_NO_IMAGES", "there is no picture to evaluate")
    columns = suite.per_image()
    images = [ImageScores(name, {key: column[i] for key, column in columns.items()}) for i, name in enumerate(names)]
    return Evaluation(len(names), suite.compute(), tuple(images), tuple(entry for _, entry in kept))


def _check_shape(sample: Sample, output: Picture) -> None:
    if output.shape != sample.target.shape:
        message = f"the model gave {output.shape} for {sample.name}, the answer is {sample.target.shape}"
        raise I2IError("E_PAIR_SIZE", f"{message}; evaluate with targets of the size that the model gives")


def _latest_gain(suite: Suite) -> float:
    """How good the picture added last is, by the first metric that single pictures have; infinity where undefined."""
    for name, metric in suite.metrics.items():
        values = metric.per_image()
        if values is not None:
            return math.inf if values[-1] is None else gain(METRICS[name].higher_is_better, values[-1])
    return math.inf
