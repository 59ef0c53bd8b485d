"""One network for several sets of labels against a network for each (StarGAN's mask vector, arXiv 1711.09020, 3.2).

usage: python tools/joint.py DATA RUNS [--sets YAML] [--steps N] [--seeds N] [--size PX] [--channels N]
                             [--precision fp32] [--file FILE.csv]
       python tools/joint.py DATA RUNS --table

DATA holds a folder for each set, as `--data.type joint` takes it: one of domains, or one of attributes with its list.
`--sets` tells more of them, as `--data.sets` does; of the faces of `tools/faces.py`, which have one colour of hair:
"[{folder: faces, exclusive_groups: [[black_hair, fair_hair, red_hair, grey_hair]]}, {folder: styles}]".
For every seed a network learns from all the sets, and one from each alone, with equal steps of 16 pictures of a set:
the joint one sees 16 of each, as the authors' code takes a batch of one and a batch of the other. A judge that has
learnt from a set's real training pictures reads the translations of its test pictures: to every domain that they are
not of; with every attribute switched (of an exclusive group: on). What is finished is not run again; the table
compares.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import results
from numpy.typing import NDArray
from runs import finish

import i2i
from i2i.data.augment import Augmentation
from i2i.data.joint_source import JointSource
from i2i.data.sampler import PREVIEW_POSITION, Draw
from i2i.evaluation.judge import taught
from i2i.images.card import Condition
from i2i.recipes.merging import parse

Picture = NDArray[np.uint8]
Reads = Callable[[Sequence[Picture]], NDArray[np.bool_]]
# From pictures and a name with its value to translations.
Translate = Callable[[list[Picture], str, float], list[Picture]]
JOINT = "joint"
BATCH = 16  # pictures of a set in a step
# The paper's game, at four times its rates: 3,000 steps of the critic, and 600 of the generator, are few.
GAME = ("--optimiser.learning_rate", "4e-4")


class Pictures(NamedTuple):
    """Pictures of one set and split, and which of its names each has, bool (N, K)."""

    pictures: list[Picture]
    has: NDArray[np.bool_]


def pictures(source: Any, split: str) -> Pictures:
    """The pictures of a split at the training size."""
    names, known = source.pictures()[split], source.known(split)
    folder = source.folder(names, value_range=(-1.0, 1.0), seed=0)
    made = [folder[Draw(index, PREVIEW_POSITION + index)][0] for index in range(len(folder))]
    has = known[:, None] == np.arange(len(source.condition.names)) if known.ndim == 1 else known > 0.5
    return Pictures(made, has)


def accuracy(translate: Translate, test: Pictures, condition: Condition, reads: Reads) -> float:
    """How many translations are read as what was asked for; the mean over the names, 0..1."""
    bound = {name for group in condition.exclusive_groups for name in group}
    found = []
    for column, name in enumerate(condition.names):
        loses = condition.kind == "attributes" and name not in bound
        right: list[bool] = []
        for value in (1.0, 0.0) if loses else (1.0,):
            rows = np.flatnonzero(test.has[:, column] != (value == 1.0)).tolist()
            if rows:
                made = translate([test.pictures[row] for row in rows], name, value)
                right += (reads(made)[:, column] == (value == 1.0)).tolist()
        found += [statistics.fmean(right)] if right else []
    return statistics.fmean(found)


def translator(run: Path) -> Translate:
    """What a run's model makes of pictures, 32 at a time."""
    model = i2i.load(run, engine="torch")
    condition = model.card.condition
    assert condition is not None  # StarGAN's models have one
    domains = condition.kind == "domains"

    def translate(given: list[Picture], name: str, value: float) -> list[Picture]:
        told: dict[str, Any] = {"domain": name} if domains else {"set": {name: value}}
        parts = [given[start : start + 32] for start in range(0, len(given), 32)]
        return [made for part in parts for made in model.batch(part, **told)]

    return translate


class Bench(NamedTuple):
    """Where the data and the runs are, and how long and wide they are."""

    data: Path
    runs: Path
    steps: int
    size: int
    channels: int
    precision: str
    sets: str = "[]"  # options of each, its folder among them, as YAML; without any every folder is one

    def sources(self) -> dict[str, Any]:
        """The sets by name."""
        augmentation = Augmentation(size=self.size, mode="resize", flips=())
        return dict(JointSource(root=self.data, sets=tuple(self.options()), augmentation=augmentation).sources())

    def options(self) -> list[dict[str, Any]]:
        """What `sets` says."""
        said: list[dict[str, Any]] = parse(self.sets, origin="--sets")
        return said

    def train(self, training: str, seed: int) -> Path:
        """The run of all sets, or of the one of that name, brought to its end."""
        run, alone = self.runs / f"{training}-{seed}", training != JOINT
        kind = self.sources()[training].condition.kind if alone else JOINT
        layers = int(self.size).bit_length() - 2  # down to 2x2
        batch = BATCH if alone else BATCH * len(self.sources())
        own = [options for options in self.options() if options["folder"] == training]
        said = {name: value for options in own for name, value in options.items() if name not in ("folder", "type")}
        told = said if alone else {"sets": self.options()}
        finish(
            run,
            "stargan",
            *("--data", str((self.data / training if alone else self.data).absolute()), "--data.type", kind),
            *("--data.augmentation.size", str(self.size), "--data.augmentation.flips", "[]"),
            *("--generator.channels", str(self.channels), "--discriminator.channels", str(self.channels)),
            *("--discriminator.size", str(self.size), "--discriminator.layers", str(layers)),
            *GAME,
            *(word for name, value in told.items() for word in (f"--data.{name}", json.dumps(value))),
            *("--training.batch_size", str(batch), "--training.threads", "1"),
            *("--training.precision", self.precision),
            *("--steps", str(self.steps), "--training.seed", str(seed), "--training.evaluate_every", "0"),
        )
        return run

    def measure(self, name: str, training: str, seed: int) -> dict[str, Any]:
        """A line of the file: the accuracy of a set's translations by the network that learnt from all, or from it."""
        source = self.sources()[name]
        run = self.train(JOINT if training == JOINT else name, seed)
        reads, test = judge(self, name), pictures(source, "test")
        real = float((reads(test.pictures) == test.has).all(1).mean())
        value = accuracy(translator(run), test, source.condition, reads)
        key = {"name": name, "training": training, "seed": seed, "steps": self.steps}
        return {**key, "accuracy": round(value, 4), "real": round(real, 4)}


@cache
def judge(bench: Bench, name: str) -> Reads:
    """Who reads a set's pictures: the same for all networks."""
    source = bench.sources()[name]
    train = pictures(source, "train")
    return taught(train.pictures, train.has, ~train.has, exclusive=source.condition.kind == "domains")


def table(lines: Sequence[Mapping[str, str]]) -> str:
    """Means over the seeds, and what joint training costs, in points of 100."""
    rows = ["| set | separate | joint | joint - separate, points (by seed) |", "|---|---|---|---|"]
    for name in dict.fromkeys(line["name"] for line in lines):
        by = {
            training: {line["seed"]: 100 * float(line["accuracy"]) for line in lines if _is(line, name, training)}
            for training in ("separate", JOINT)
        }
        seeds = sorted(by["separate"].keys() & by[JOINT].keys())
        if not seeds:
            continue
        separate, joint = (statistics.fmean(by[training][seed] for seed in seeds) for training in ("separate", JOINT))
        each = ", ".join(f"{by[JOINT][seed] - by['separate'][seed]:+.1f}" for seed in seeds)
        rows.append(f"| {name} | {separate:.1f} % | {joint:.1f} % | {joint - separate:+.1f} ({each}) |")
    return "\n".join(rows)


def _is(line: Mapping[str, str], name: str, training: str) -> bool:
    return line["name"] == name and line["training"] == training


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("runs", type=Path, metavar="RUNS")
    parser.add_argument("--sets", default="[]", metavar="YAML", help="options of the sets (default: every folder)")
    parser.add_argument("--steps", type=int, default=3000, metavar="N", help="of the critic (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--size", type=int, default=32, metavar="PX", help="a power of two (default: %(default)s)")
    parser.add_argument("--channels", type=int, default=16, metavar="N", help="of both networks (default: %(default)s)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of all (default: %(default)s)")
    parser.add_argument("--file", type=Path, metavar="FILE.csv", help="the results (default: RUNS/joint.csv)")
    parser.add_argument("--table", action="store_true", help="train nothing, print the table")
    options = parser.parse_args()
    file = options.file or options.runs / "joint.csv"
    if not options.table:
        options.runs.mkdir(parents=True, exist_ok=True)
        shape = options.steps, options.size, options.channels, options.precision
        bench = Bench(options.data, options.runs, *shape, options.sets)
        trainings, names = ("separate", JOINT), list(bench.sources())
        keys = [
            {"name": name, "training": training, "seed": seed}
            for seed in range(options.seeds)
            for training in trainings
            for name in names
        ]
        results.fill(file, keys, bench.measure)
    print(table(results.read(file)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
