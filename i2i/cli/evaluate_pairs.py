"""The part of `i2i evaluate` about translators and pictures with known answers: pairs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from i2i.cli import evaluate_targets
from i2i.errors import I2IError

if TYPE_CHECKING:
    from i2i.data.paired import Matching
    from i2i.data.paired_source import PairedSource
    from i2i.data.reading import Pair
    from i2i.evaluation.evaluate import Evaluation, Translate
    from i2i.images.card import Pixels
    from i2i.metrics.suite import Suite
    from i2i.runtime.translator import Translator

KINDS = ("paired", "unpaired")  # data whose pairs are found by the names of files alone


class ByName(NamedTuple):
    """Pairs below a folder, found by the names of their files."""

    root: Path
    source: str | None
    target: str | None

    def splits(self) -> set[str]:
        """The splits that are there."""
        from i2i.data.paired import splits

        return set(splits(self.root, source=self.source, target=self.target))

    def matched(self, split: str) -> Matching:
        """The pairs of a split, with what is wrong with the others."""
        from i2i.data.paired import match_pairs

        return match_pairs(self.root, split=split, source=self.source, target=self.target)


class OfDataset(NamedTuple):
    """Pairs as the data of a run find them."""

    data: PairedSource

    def splits(self) -> set[str]:
        """The splits that are there."""
        return set(self.data.scan().samples)

    def matched(self, split: str) -> Matching:
        """The pairs of a split; what is wrong with any is raised."""
        from i2i.data.paired import Matching

        return Matching(self.data.pairs(split), [])


Pairs = ByName | OfDataset


def evaluations(arguments: argparse.Namespace) -> dict[str, Evaluation]:
    """Measure the model and, where they are asked for, the baselines; by name, the model first."""
    from i2i.images.card import Pixels

    data = _pairs(arguments)
    subjects: dict[str, Translate] = {}
    source, target = Pixels(), Pixels()
    if arguments.model is not None:
        translator = _translator(arguments)
        source, target = translator.card.source, translator.card.target
        subjects[translator.card.name] = _translate(translator, arguments.domain)
    _suite(arguments, target)  # names that are wrong are told before any file is read
    if arguments.baselines and "labels" in (source.colour, target.colour):
        raise I2IError("E_USAGE", "--baselines are maps of colours and do not fit label maps; leave them out")
    _check_data(data, arguments, source, target)
    if arguments.baselines:
        taught = _matched(data, "train", arguments.direction).pairs if "train" in data.splits() else []
        subjects |= _baselines(taught, source, target)
    pairs = _matched(data, arguments.split, arguments.direction).pairs
    return {name: _measure(name, translate, pairs, arguments, (source, target)) for name, translate in subjects.items()}


def root_of(arguments: argparse.Namespace, recipe: dict[str, Any]) -> Path:
    """Where the data are: as given, else as in the recipe. Raises `I2IError` (E_USAGE) where neither says it."""
    root = arguments.data if arguments.data is not None else recipe.get("root")
    if root is None:
        raise I2IError("E_USAGE", "--data DIR is needed: this model is not a run folder with a recipe")
    return Path(root)


def _pairs(arguments: argparse.Namespace) -> Pairs:
    """Where the pairs are: as given, else as in the recipe of the run, whose data may have a way of their own."""
    run = None if arguments.model is None else Path(arguments.model)
    recipe = {} if run is None else _recipe_data(run)
    kind = recipe.get("type", "paired")
    given = {side: name for side in ("source", "target") if (name := getattr(arguments, side))}
    if kind not in KINDS:
        assert run is not None
        if _gives_pairs(kind):
            return OfDataset(_own(arguments, given))
        if arguments.data is None:
            message = f"this run learnt from data of type '{kind}'; evaluate measures pairs"
            raise I2IError("E_USAGE", f"{message}; name a folder of them with --data", path=run / "recipe.yaml")
        recipe = {}
    return ByName(
        root_of(arguments, recipe), **{side: given.get(side, recipe.get(side)) for side in ("source", "target")}
    )


def _gives_pairs(kind: str) -> bool:
    from i2i.data import DATASETS
    from i2i.data.paired_source import PairedSource

    return kind in DATASETS and issubclass(DATASETS[kind], PairedSource)


def _own(arguments: argparse.Namespace, given: dict[str, str]) -> PairedSource:
    """The data of a run, with what was given in place of what its recipe says."""
    recipe = evaluate_targets.recipe_of(arguments)
    return cast("PairedSource", evaluate_targets.data_of(recipe, root=arguments.data, **given))


def _recipe_data(run: Path) -> dict[str, Any]:
    """`type`, `root`, `source` and `target` of the data in RUN/recipe.yaml, as far as they are there."""
    path = run / "recipe.yaml"
    if not path.is_file():
        return {}
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")).get("data", {})
        return {key: data[key] for key in ("type", "root", "source", "target") if isinstance(data.get(key), str)}
    except (yaml.YAMLError, AttributeError, OSError, UnicodeDecodeError):
        raise I2IError("E_RECIPE", "is not a recipe; give --data, --data.source and --data.target", path=path) from None


def _translator(arguments: argparse.Namespace) -> Translator:
    from i2i.loading import open_model, resolve

    return open_model(resolve(arguments.model, direction=arguments.direction))


def _translate(translator: Translator, domain: str | None) -> Translate:
    """The model as a function from picture to picture; the domain is looked up once, before any picture is read."""
    from i2i.runtime.conditions import changed

    wanted = changed(translator.card, 1, domain=domain)
    return lambda pixels: translator.apply(pixels, **wanted._asdict())


def _check_data(data: Pairs, arguments: argparse.Namespace, source: Pixels, target: Pixels) -> None:
    """Look at every file of the splits in use before anything is measured. Raises with the whole list."""
    from i2i.data.paired_scan import scan

    wanted = {"train", arguments.split} & data.splits() | {arguments.split}
    found = {split: _matched(data, split, arguments.direction) for split in sorted(wanted)}
    if "train" in found and arguments.split != "train" and not (arguments.baselines and found["train"].pairs):
        found["train"] = found["train"]._replace(problems=[])  # it may well have no pairs
    seen = scan(found, source_pixels=source, target_pixels=target)
    for warning in seen.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    seen.raise_if_bad()


def _matched(data: Pairs, split: str, direction: str) -> Matching:
    """The pairs of a split; source and target change places on the way back."""
    found = data.matched(split)
    if direction == "a2b":
        return found
    turned = [
        pair._replace(source=pair.target, target=pair.source, source_left=not pair.source_left) for pair in found.pairs
    ]
    return found._replace(pairs=turned)


def _baselines(pairs: list[Pair], source: Pixels, target: Pixels) -> dict[str, Translate]:
    from i2i.evaluation.baselines import fit
    from i2i.evaluation.evaluate import read_samples

    found: dict[str, Translate] = {}
    if source.channels == target.channels:
        found["identity"] = lambda picture: picture
    if pairs:  # a split train without pairs teaches no map
        found |= fit((sample.source, sample.target) for sample in read_samples(pairs, source=source, target=target))
    return found


def _measure(
    name: str, translate: Translate, pairs: list[Pair], arguments: argparse.Namespace, pixels: tuple[Pixels, Pixels]
) -> Evaluation:
    from tqdm import tqdm

    from i2i.evaluation.evaluate import evaluate, read_samples

    samples = read_samples(pairs, source=pixels[0], target=pixels[1])
    shown = tqdm(samples, total=len(pairs), desc=name, unit="picture", leave=False, disable=None)
    return evaluate(translate, shown, suite=_suite(arguments, pixels[1]), worst=arguments.worst)


def _suite(arguments: argparse.Namespace, pixels: Pixels) -> Suite:
    """New metrics as asked for, for pictures that look as `pixels` says."""
    from i2i.metrics.suite import Suite, all_names

    asked = evaluate_targets.asked(arguments)
    return Suite(all_names(pixels) if asked == ["all"] else asked, pixels=pixels, weights=arguments.weights)
