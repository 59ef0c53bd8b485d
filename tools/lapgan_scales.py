"""LAPGAN (Denton et al. 2015, arXiv 1506.05751) beside a generator of one scale, at equal cost.

usage: python tools/lapgan_scales.py DATA RUNS [--seeds N ...] [--share S] [--only NAME ...]

DATA is a folder of grey pictures, such as `tools/digits.py DATA --size 64` draws. Trains, one after the other, on one
thread:

pyramid        three levels of 16, 32 and 64 px: a DCGAN of 64 channels, which has four turns in every step, and two
               refinements of 8 channels, without noise, drawn to the real detail by an L1 of weight 30
convolutional  a DCGAN of 64 px and 16 channels (Radford et al. 2016), whose layers are as wide at 8x8 and 4x4

The critics of all are DCGAN's without norms, with He's weights, held by R1, as wide as the generator beside them;
optimiser, pictures a turn and averaging are the same. The numbers of steps are such that the trainings cost about the
same time on an idle core (--share of that: shorter ones); `seconds` is what they took, by the median step. What is
finished is not trained again. Prints a Markdown table: KID over the split test, of features of EfficientNet-Lite0.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from runs import finish, python


class Variant(NamedTuple):
    """A preset, the settings that are its own, and the steps of a whole training."""

    preset: str
    settings: dict[str, Any]
    steps: int


TURN = 32  # pictures that every level sees in a turn
TURNS = 4  # of the pyramid's coarsest level to one of the others


def critic(channels: int) -> dict[str, Any]:
    """A critic of that width in its first layer."""
    return {"type": "dcgan_critic", "channels": channels, "norm": "none", "initialisation": "he"}


VARIANTS = {
    "pyramid": Variant(
        "lapgan",
        {
            "method": {"l1_weight": 30, "coarse_turns": TURNS, "coarse_discriminator": critic(64)},
            "generator": {
                "size": 64,
                "levels": 3,
                "channels": 8,
                "kernel": 5,
                "fine_noise": False,
                "coarse": "convolutional",
                "coarse_channels": 64,
            },
            "discriminator": {"size": 64, **critic(8)},
            "training": {"batch_size": TURNS * TURN},
        },
        steps=500,
    ),
    "convolutional": Variant(
        "dcgan", {"generator": {"size": 64, "channels": 16}, "discriminator": {"size": 64, **critic(16)}}, steps=1270
    ),
}
SHARED: dict[str, Any] = {
    "stabilisers": [{"type": "r1", "gamma": 0.5}],
    "data": {"target_pixels": {"colour": "gray"}, "augmentation": {"size": 64}},
    "optimiser": {"learning_rate": 5e-4, "beta1": 0.0, "beta2": 0.99},
    "training": {
        "batch_size": TURN,
        "precision": "fp32",
        "threads": 1,
        "average_decay": 0.999,
        "sample_every": 0,
        "evaluate_every": 0,
    },
}


def recipe(variant: Variant) -> dict[str, Any]:
    """The settings of a variant, among which its own come first."""
    own = variant.settings
    return SHARED | own | {"training": SHARED["training"] | own.get("training", {})}


def train(run: Path, variant: Variant, data: Path, *, seed: int, share: float) -> None:
    """Bring a run to its end."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "recipe.yaml")
        file.write_text(json.dumps(recipe(variant)))  # JSON is YAML
        words = ["--data", str(data.absolute()), "-c", str(file), "--training.seed", str(seed)]
        finish(run, variant.preset, *words, "--steps", str(round(variant.steps * share)))


def seconds(run: Path) -> float:
    """What the steps of a run took, by the median in the log: the machine may have had something else to do."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    timed = [line for line in lines if "ms_per_step" in line]
    return float(statistics.median(line["ms_per_step"] for line in timed)) * int(timed[-1]["step"]) / 1000


def kid(run: Path, data: Path) -> float:
    """The distance to the test pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "scores.json")
        asked = ["--metrics", "kid", "--json", str(file)]
        python("-m", "i2i", "evaluate", str(run.absolute()), "--data", str(data.absolute()), *asked)
        return float(json.loads(file.read_text())["kid"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("runs", type=Path, metavar="RUNS")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N")
    parser.add_argument("--share", type=float, default=1.0, metavar="S", help="of the steps (default: %(default)s)")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS), metavar="NAME")
    options = parser.parse_args()
    for seed in options.seeds:
        for name in options.only:
            run = options.runs / f"{name}-{seed}"
            train(run, VARIANTS[name], options.data, seed=seed, share=options.share)
    print("| | seconds (by seed) | KID (by seed) | KID |\n|---|---|---|---|")
    for name in options.only:
        runs = [options.runs / f"{name}-{seed}" for seed in options.seeds]
        distances = [kid(run, options.data) for run in runs]
        times, found = " ".join(f"{seconds(run):.0f}" for run in runs), " ".join(f"{one:.3f}" for one in distances)
        print(f"| {name} | {times} | {found} | {statistics.fmean(distances):.3f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
