"""A translator between domains, or of attributes, measured on pictures of which is known what they are.

For every target (a domain; an attribute, switched) the pictures that can become it are translated:
`accuracy`            how many translations the judge reads as what was asked for; it has learnt from the real training
                      pictures (`i2i.evaluation.judge`), and
`real_accuracy`       how many real pictures of the split it reads right, without which the former says nothing
`kept`                attributes: how many of the others it reads in the translation as they are known of the picture
`kid`                 distance between translations and as many real pictures that are what was asked for
`top1`, `top5`        where pictures of several domains have the same name: how many translations are nearest to the
                      picture of that name in their new domain, or among the five nearest (`i2i.metrics.retrieval`), and
`identity_top1`, ...  the same of the untranslated pictures
`cycle_psnr`          translations brought back, against what they were
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from i2i.data.images_source import PicturesSource
from i2i.errors import I2IError
from i2i.evaluation.generated import real_pictures, spread
from i2i.evaluation.judge import STEPS, Judge, taught
from i2i.evaluation.monitor import evenly
from i2i.evaluation.targets import (
    Flags,
    Picture,
    Runs,
    Step,
    Told,
    back,
    can_lose,
    condition_of,
    missing,
    present,
    steps,
    towards,
    translated,
)
from i2i.images.card import Condition, ImageCard
from i2i.metrics.features import Features
from i2i.metrics.kid import kernel_distance
from i2i.metrics.psnr import Psnr
from i2i.metrics.retrieval import ranks
from i2i.tables import unknown

OF_FEATURES = ("kid", "top1", "top5")
METRICS = ("accuracy", *OF_FEATURES, "cycle_psnr")


class Labelled(NamedTuple):
    """The pictures of a split at the training size: what each is, and its name (without folder and suffix)."""

    told: list[Told]
    names: list[str]


class Scores(NamedTuple):
    """What was measured on `n` pictures: the means over all targets, and the values of each target by its name."""

    n: int
    means: dict[str, float]
    targets: dict[str, dict[str, float]]


def labelled(source: PicturesSource, split: str, card: ImageCard, *, most: int | None = None) -> Labelled:
    """The pictures of a split of which is known what they are, as the card numbers it; of at most `most`, evenly
    spread, and no other is read.

    Raises `I2IError`: E_LAYOUT for a split that is not there, E_CONDITION for data that know other things.
    """
    condition, data = condition_of(card), source.condition
    if data is None or data.kind != condition.kind:
        message = f"model '{card.name}' has {condition.kind}: {', '.join(condition.names)}; these data do not tell them"
        raise I2IError("E_CONDITION", message, path=source.root)
    real = real_pictures(source, split, card, most=most)
    known = real.wanted.condition if real.wanted.domain is None else real.wanted.domain
    assert known is not None  # the data have the card's kind of condition
    files, of_files = source.pictures()[split], source.known(split)
    assert of_files is not None
    rows = spread(len(files), most)
    kept = [files[row] for row in rows if of_files[row].ndim or of_files[row] >= 0]
    told = [Told(picture, row) for picture, row in zip(real.pictures, known, strict=True)]
    return Labelled(told, [Path(file).stem for file in kept])


def chosen_metrics(asked: Sequence[str], *, features: bool) -> tuple[str, ...]:
    """The metrics that are asked for, or all; without a feature network those that need none.

    Raises `I2IError` (E_RECIPE) for an unknown name.
    """
    for name in asked:
        if name not in METRICS:
            raise I2IError("E_RECIPE", unknown("metric of translations between domains", name, METRICS))
    return tuple(asked) or tuple(name for name in METRICS if features or name not in OF_FEATURES)


def evaluate_targets(
    session: Runs,
    card: ImageCard,
    *,
    train: Labelled | None,
    test: Labelled,
    metrics: Sequence[str],
    features: Features,
    judge_steps: int = STEPS,
    progress: Callable[[str], object] = lambda stage: None,
) -> Scores:
    """Measure a translator; `train` is what the judge learns from, needed for `accuracy`.

    It takes `judge_steps`. `progress` is told what is next. Raises `I2IError` (E_NO_IMAGES) for less than two pictures.
    """
    if len(test.told) < 2:
        raise I2IError("E_NO_IMAGES", f"{len(test.told)} pictures; translations are measured on two at least")
    judge = None
    if "accuracy" in metrics and train is not None:
        progress("the judge learns from the real training pictures")
        exclusive = condition_of(card).kind == "domains"
        seen = [one.picture for one in train.told]
        has, lacks = present(card, train.told), missing(card, train.told)
        judge = taught(seen, has, lacks, exclusive=exclusive, steps=judge_steps)
    measured = _Measured(session, card, test, metrics, features, judge)
    targets = {}
    for target, name in enumerate(condition_of(card).names):
        progress(name)
        targets[name] = measured.of(target)
    keys = dict.fromkeys(key for values in targets.values() for key in values)
    means = {key: statistics.fmean(values[key] for values in targets.values() if key in values) for key in keys}
    return Scores(len(test.told), means, targets)


class _Measured:
    """The pictures that are translated, with what is needed of the real ones for every target."""

    def __init__(
        self,
        session: Runs,
        card: ImageCard,
        test: Labelled,
        metrics: Sequence[str],
        features: Features,
        judge: Judge | None,
    ) -> None:
        self.session, self.card, self.test, self.metrics, self.judge = session, card, test, metrics, judge
        self.features = features
        self.pictures = [one.picture for one in test.told]
        self.has, self.lacks = present(card, test.told), missing(card, test.told)
        self.steps = steps(card, test.told)
        self.read = None if judge is None else judge(self.pictures)
        needs = not set(OF_FEATURES).isdisjoint(metrics)
        self.real = self._of(self.pictures) if needs else None

    def of(self, target: int) -> dict[str, float]:
        """The values of one target; those that make no sense of it are left out."""
        chosen = [step for step in self.steps if step.target == target]
        found = self._real_accuracy(target)
        if not chosen:
            return found
        made = translated(
            self.session, [self.pictures[step.picture] for step in chosen], towards(self.card, self.has, chosen)
        )
        found = self._accuracy(chosen, made) | found
        if "cycle_psnr" in self.metrics:
            found |= self._back(chosen, made)
        if self.real is not None:
            found |= self._alike(target, chosen, made, self.real)
        return found

    def _real_accuracy(self, target: int) -> dict[str, float]:
        if self.read is None:
            return {}
        known = self.has if condition_of(self.card).kind == "domains" else self.has | self.lacks
        right = (self.read[:, target] == self.has[:, target])[known[:, target]]
        return {"real_accuracy": float(right.mean())} if len(right) else {}

    def _accuracy(self, chosen: Sequence[Step], made: Sequence[Picture]) -> dict[str, float]:
        if self.judge is None:
            return {}
        condition, read = condition_of(self.card), self.judge(made)
        rows, target = [step.picture for step in chosen], chosen[0].target
        wanted = ~self.has[rows, target] | (not can_lose(condition)[target])
        found = {"accuracy": float((read[:, target] == wanted).mean())}
        others = (self.has | self.lacks)[rows] & _others(condition, target)
        if others.any():
            found["kept"] = float((read == self.has[rows])[others].mean())
        return found

    def _back(self, chosen: Sequence[Step], made: Sequence[Picture]) -> dict[str, float]:
        origins = [self.test.told[step.picture] for step in chosen]
        metric = Psnr()
        for again, told in zip(translated(self.session, made, back(self.card, origins)), origins, strict=True):
            metric.update(torch.from_numpy(again[None].copy()), torch.from_numpy(told.picture[None].copy()))
        return {f"cycle_{name}": value for name, value in metric.compute().items()}

    def _alike(
        self, target: int, chosen: Sequence[Step], made: Sequence[Picture], real: torch.Tensor
    ) -> dict[str, float]:
        """What needs features: the distance of the sets, and retrieval."""
        having = np.flatnonzero(self.has[:, target]).tolist()
        gaining = [row for row, step in enumerate(chosen) if not self.has[step.picture, target]]
        count = min(len(having), len(gaining))
        retrieves = condition_of(self.card).kind == "domains" and not {"top1", "top5"}.isdisjoint(self.metrics)
        rows = list(range(len(made))) if retrieves else evenly(gaining, count)  # features are what takes long
        features, found = dict(zip(rows, self._of([made[row] for row in rows]), strict=True)), dict[str, float]()
        if "kid" in self.metrics and count > 1:
            ours = torch.stack([features[row] for row in evenly(gaining, count)])
            found["kid"] = kernel_distance(ours, real[evenly(having, count)])
        return found | (self._retrieval(having, chosen, features, real) if retrieves else {})

    def _retrieval(
        self, having: Sequence[int], chosen: Sequence[Step], made: Mapping[int, torch.Tensor], real: torch.Tensor
    ) -> dict[str, float]:
        """Of the translations of each other domain, among the pictures of the same names in the new one."""
        truths = {self.test.names[row]: row for row in having}
        places: dict[str, list[int]] = {}
        for domain in range(self.has.shape[1]):
            rows = [
                row
                for row, step in enumerate(chosen)
                if self.has[step.picture, domain] and self.test.names[step.picture] in truths
            ]
            if len(rows) < 2:
                continue
            answers = real[[truths[self.test.names[chosen[row].picture]] for row in rows]]
            places.setdefault("", []).extend(ranks(torch.stack([made[row] for row in rows]), answers).tolist())
            untouched = real[[chosen[row].picture for row in rows]]
            places.setdefault("identity_", []).extend(ranks(untouched, answers).tolist())
        return {
            f"{prefix}top{k}": statistics.fmean(rank < k for rank in found)
            for k in (1, 5)
            if f"top{k}" in self.metrics
            for prefix, found in places.items()
        }

    def _of(self, pictures: Sequence[Picture]) -> torch.Tensor:
        return self.features(torch.from_numpy(np.stack(pictures))) if pictures else torch.empty(0)


def _others(condition: Condition, target: int) -> Flags:
    """The attributes that stay when one is switched: not it, nor what excludes it. Domains have none."""
    name = condition.names[target]
    bound = {name}.union(*(group for group in condition.exclusive_groups if name in group))
    others: NDArray[np.bool_] = np.array([other not in bound for other in condition.names])
    return others & (condition.kind == "attributes")
