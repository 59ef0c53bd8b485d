"""What translations without pairs are worth, and which part of CycleGAN does what (Zhu et al. 2017, section 5.1.3-4).

usage: python tools/unpaired.py --data DIR [RUN ...]
       python tools/unpaired.py --data DIR --ablation RUNS [--steps N] [-c FILE.yaml]

DIR is made by `tools/emoji.py DIR noto fluent --unpaired`. Prints a Markdown table with a line for each run and
direction, over the split test: kid of the translations against the side that they should look like, top1 and top5 (a
translation's nearest picture of that side is its own subject: for sides whose pictures have partners by name), psnr of
pictures and their round trips, and of pictures that already look as they should ("identity"). First the same for the
untranslated pictures, and the kid of the side's training pictures, which no translation can be expected to beat.

--ablation trains the full method, and it without the cycle loss, the identity loss (which goes with the cycle's
weight), and the history pool, with equal steps, one after the other; what is finished is not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from runs import ROOT, finish

import i2i
from i2i.data.layouts import find_sides
from i2i.images.codec import list_images, read
from i2i.metrics.suite import Suite

Picture = NDArray[np.uint8]
VARIANTS = {
    "full": [],
    "no_cycle": ["--method.cycle_weight", "0"],
    "no_identity": ["--method.identity_weight", "0"],
    "no_pool": ["--stabilisers", "[]"],
}
EQUAL = ["--training.schedule", "constant"]
COLUMNS = ("kid", "top1", "top5", "cycle_psnr", "identity_psnr")


class Side(NamedTuple):
    """The pictures of one side: of the split test by name, and of train."""

    test: dict[str, Picture]
    train: list[Picture]


def sides(data: Path, source: str, target: str) -> tuple[Side, Side]:
    """Both sides of a data set."""
    layouts = find_sides(data, source=source, target=target)

    def side(folder: str) -> Side:
        test, train = (getattr(layouts[split], folder) for split in ("test", "train"))
        pictures = {name.as_posix(): read(test / name).pixels for name in list_images(test)}
        return Side(pictures, [read(train / name).pixels for name in list_images(train)])

    return side("source"), side("target")


def scores(names: tuple[str, ...], outputs: list[Picture], truths: list[Picture]) -> dict[str, float]:
    """Metrics of outputs against as many truths."""
    from i2i.images.card import Pixels

    suite = Suite(names, pixels=Pixels())
    suite.update(torch.from_numpy(np.stack(outputs)), torch.from_numpy(np.stack(truths)))
    return suite.compute()


def distances(outputs: list[Picture], goal: Side) -> dict[str, float]:
    """Kid, and retrieval where every output has a partner: `outputs` are in the order of the other side's names."""
    return scores(("kid", "top1", "top5"), outputs, list(goal.test.values()))


def baselines(start: Side, goal: Side) -> dict[str, dict[str, float]]:
    """The untranslated pictures, and the training pictures of the goal, as many as there are of test."""
    chosen = np.linspace(0, len(goal.train) - 1, len(goal.test)).round().astype(int)
    real = scores(("kid",), [goal.train[index] for index in chosen], list(goal.test.values()))
    return {"untranslated": distances(list(start.test.values()), goal), "training pictures": real}


def measured(there: Any, back: Any, start: Side, goal: Side) -> dict[str, float]:
    """One direction of a run."""
    begun, known = list(start.test.values()), list(goal.test.values())
    outputs = [there(picture) for picture in begun]
    found = distances(outputs, goal)
    round_trip = scores(("psnr",), [back(picture) for picture in outputs], begun)
    same = scores(("psnr",), [there(picture) for picture in known], known)
    return found | {"cycle_psnr": round_trip["psnr"], "identity_psnr": same["psnr"]}


def lines(a: Side, b: Side, runs: list[Path]) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Subject, direction and values."""
    if list(a.test) != list(b.test):
        raise SystemExit("the two sides of the split test have other names; retrieval needs partners")
    for direction, start, goal in (("a2b", a, b), ("b2a", b, a)):
        for name, values in baselines(start, goal).items():
            yield name, direction, values
    for run in runs:
        a2b, b2a = (i2i.load(run, engine="torch", direction=direction) for direction in ("a2b", "b2a"))
        yield run.name, "a2b", measured(a2b, b2a, a, b)
        yield run.name, "b2a", measured(b2a, a2b, b, a)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN", help="finished runs of cyclegan")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--data.source", dest="source", default="noto", metavar="A", help="(default: %(default)s)")
    parser.add_argument("--data.target", dest="target", default="fluent", metavar="B", help="(default: %(default)s)")
    parser.add_argument("--ablation", type=Path, metavar="RUNS", help="train here, and measure")
    parser.add_argument("--steps", type=int, default=1500, metavar="N", help="of each variant (default: %(default)s)")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS), metavar="VARIANT")
    parser.add_argument("-c", "--config", type=Path, default=ROOT / "tools/unpaired.yaml")
    options = parser.parse_args()
    runs = list(options.runs)
    for name in options.only if options.ablation else []:
        runs.append(options.ablation / name)
        words = ["--data", str(options.data.absolute()), "-c", str(options.config.absolute()), "--name", name]
        finish(runs[-1], "cyclegan", *words, *EQUAL, "--steps", str(options.steps), *VARIANTS[name])
    print("| | | " + " | ".join(COLUMNS) + " |\n|---" + "|---" * (len(COLUMNS) + 1) + "|")
    for subject, direction, values in lines(*sides(options.data, options.source, options.target), runs):
        cells = [f"{values[column]:.3f}" if column in values else "" for column in COLUMNS]
        print(f"| {subject} | {direction} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
