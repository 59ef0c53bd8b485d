"""The bench of the health monitor: trainings made to fail, and ones that do not, and what it says of each.

usage: python tools/health.py [--csv FILE] [--rows NAME ...] [--seeds N ...] [--out RUNS]
       python tools/health.py --table            the table of the results so far

Each row trains a tiny network for 500 steps on pictures of 16 or 32 px: digits of `tools/digits.py`, or the bundled
satellite pictures and relief. A failure counts as named when one of the findings that describe it is told; a
finding in a healthy run is a false alarm. Every (row, seed) is one line of the CSV file, written when it is done; what
is there is not run again. `--out` keeps the run folders.

The rows of `TUNING` with seed 0 are those by which the thresholds in `i2i/training/health.py` were set, and what counts
as healthy. Other seeds and the rows of `KEPT_BACK` are there to check them, and count by themselves; whoever moves a
threshold by what they say needs new ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from digits import drawn, load, render
from PIL import Image
from results import fill, read

from i2i.recipes.merging import merge
from i2i.recipes.presets import preset
from i2i.recipes.recipe import validate
from i2i.recipes.run import train

HERE = Path(__file__).resolve().parent
EARTH = HERE.parent / "tests/data/earth"
STEPS = 500


@dataclass(frozen=True)
class Row:
    """One training: a protocol with changes. `expected`: the findings of which one must be told; none if healthy."""

    protocol: str
    changes: dict[str, Any] = field(default_factory=dict)
    expected: tuple[str, ...] = ()


TRAINING = {"batch_size": 16, "threads": 1, "precision": "fp32", "checkpoint_every": 0, "sample_every": 0}
TRAINING |= {"evaluate_every": 0, "schedule": "constant", "tensorboard": False, "monitored_pictures": 16}
PROTOCOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "pairs": (
        "pix2pix",
        {
            "generator": {"channels": 8, "depth": 4},
            "discriminator": {"channels": 8, "layers": 2},
            "data": {
                "root": str(EARTH),
                "source": "satellite",
                "target": "relief",
                "augmentation": {"size": 32, "mode": "crop"},
            },
            "training": TRAINING | {"batch_size": 4},
        },
    ),
    "mlp": (
        "gan",
        {
            "method": {"latent_channels": 16},
            "generator": {"size": 16, "channels": 128},
            "discriminator": {"size": 16, "channels": 128},
            "data": {"target_pixels": {"colour": "gray"}, "augmentation": {"size": 16}},
            "training": TRAINING,
        },
    ),
    "dcgan": (
        "dcgan",
        {
            "method": {"latent_channels": 16},
            "generator": {"size": 16, "channels": 16},
            "discriminator": {"size": 16, "channels": 16},
            "data": {"target_pixels": {"colour": "gray"}, "augmentation": {"size": 16}},
            "training": TRAINING,
        },
    ),
}
# Sources that say nothing about their targets.
PROTOCOLS["noise_pairs"] = (
    "pix2pix",
    {
        "generator": {"channels": 8, "depth": 4},
        "discriminator": {"channels": 8, "layers": 1},
        "data": {"target_pixels": {"colour": "gray"}, "augmentation": {"size": 16, "mode": "resize", "flips": []}},
        "training": TRAINING | {"batch_size": 4},
    },
)
PHOTOS = {
    "data": {
        "root": str(EARTH),
        "target_pixels": {"colour": "rgb"},
        "augmentation": {"size": 16, "mode": "crop"},
    }
}
PLAIN = {"discriminator": {"norm": "none"}}


def rates(generator: float, critic: float, **others: Any) -> dict[str, Any]:
    """The learning rates of the two players, and other choices of the optimiser."""
    return {"rates": {"generator": generator, "discriminator": critic}, **others}


def clipped(bound: float) -> dict[str, Any]:
    """The first Wasserstein GAN."""
    return {
        **PLAIN,
        "objective": "wasserstein",
        "stabilisers": [{"type": "weight_clipping", "bound": bound}, {"type": "critic_steps", "count": 5}],
        "optimiser": {"type": "rmsprop", "beta2": 0.99, "learning_rate": 5e-5},
    }


TUNING = {
    # healthy
    "pix2pix": Row("pairs"),
    "pix2pix_lsgan": Row("pairs", {"objective": "least_squares"}),
    "pix2pix_hinge_spectral": Row(
        "pairs", {"objective": "hinge", "stabilisers": ["spectral_norm"], "discriminator": {"norm": "instance"}}
    ),
    "gan": Row("mlp", {"training": {"batch_size": 64}}),
    "dcgan": Row("dcgan"),
    "dcgan_r1": Row("dcgan", {**PLAIN, "stabilisers": [{"type": "r1", "gamma": 1}]}),
    "relativistic": Row("dcgan", {"objective": "relativistic_average"}),
    "wgan_gp": Row(
        "dcgan",
        {
            **PLAIN,
            "objective": "wasserstein",
            "stabilisers": ["gradient_penalty", {"type": "critic_steps", "count": 5}],
        },
    ),
    "wgan_clipping": Row("dcgan", clipped(0.05)),
    "dcgan_photos": Row("dcgan", PHOTOS),
    # failures
    "minimax_fast_critic": Row(
        "mlp",
        {"objective": "minimax", "optimiser": rates(1e-4, 1e-2)},
        ("critic_saturated", "gradient_vanished"),
    ),
    "frozen_generator": Row("dcgan", {"optimiser": rates(1e-7, 2e-4)}, ("standing_still", "critic_saturated")),
    "wild_generator": Row(
        "dcgan",
        {"optimiser": rates(1.0, 2e-4)},
        ("constant_output", "saturated_output", "outputs_alike", "oscillation"),
    ),
    "collapse": Row("mlp", {"optimiser": rates(2e-3, 2e-3, beta1=0.9)}, ("outputs_alike",)),
    "source_ignored": Row("noise_pairs", {}, ("outputs_alike",)),
    "oscillation": Row("dcgan", {"optimiser": rates(5e-3, 5e-3, beta1=0.9, order="simultaneous")}, ("oscillation",)),
    "tiny_bound": Row("dcgan", clipped(1e-4), ("gradient_vanished",)),
    "dead_generator": Row(
        "mlp", {"optimiser": rates(1.0, 1e-3)}, ("constant_output", "gradient_vanished", "outputs_alike")
    ),
    "strong_penalty": Row(
        "dcgan", {**PLAIN, "stabilisers": [{"type": "r1", "gamma": 1e6}]}, ("critic_blind", "gradient_vanished")
    ),
    "slow_critic": Row("dcgan", {"optimiser": rates(2e-4, 1e-8)}, ("critic_blind",)),
    # failures that were meant to be healthy: the outputs are alike for long, looked at, and in the second to the end
    "hinge_photos": Row(
        "dcgan", {**PLAIN, **PHOTOS, "objective": "hinge", "stabilisers": ["spectral_norm"]}, ("outputs_alike",)
    ),
    "lsgan_dragan": Row(
        "dcgan",
        {**PLAIN, "objective": "least_squares", "stabilisers": ["dragan"]},
        ("critic_blind", "outputs_alike"),
    ),
    # by which the critic that has won and still teaches was told from one that does not
    "gan_minibatch": Row("mlp", {"training": {"batch_size": 64}, "stabilisers": ["minibatch_discrimination"]}),
}
KEPT_BACK = {
    # healthy
    "pix2pix_gan": Row("pairs", {"method": {"conditional": False, "l1_weight": 10}}),
    # failures
    "wild_translator": Row(
        "pairs",
        {"optimiser": rates(1.0, 2e-4)},
        ("constant_output", "saturated_output", "outputs_alike", "oscillation"),
    ),
    "frozen_translator": Row("pairs", {"optimiser": rates(1e-7, 2e-4)}, ("standing_still", "critic_saturated")),
    "slow_critic_photos": Row("dcgan", {**PHOTOS, "optimiser": rates(2e-4, 1e-8)}, ("critic_blind",)),
    "tiny_bound_photos": Row("dcgan", {**PHOTOS, **clipped(1e-4)}, ("gradient_vanished",)),
}
ROWS = TUNING | KEPT_BACK


def pictures(folder: Path, *, count: int = 400, size: int = 16) -> None:
    """Grey digits below `images`, and beside noise below `pairs`."""
    (font,) = load((), size=size)
    rng = np.random.default_rng(0)
    targets, sources, alone = folder / "pairs/train/B", folder / "pairs/train/A", folder / "images/train"
    for place in (targets, sources, alone):
        place.mkdir(parents=True)
    for number in range(count):
        digit = render(drawn(0, number), font, size=size)
        digit.save(alone / f"{number:04d}.png")
        digit.save(targets / f"{number:04d}.png")
        noise = rng.integers(0, 256, (size, size, 3), np.uint8)
        Image.fromarray(noise).save(sources / f"{number:04d}.png")


def recipe(row: Row, *, data: Path, seed: int, steps: int) -> Any:
    """The recipe of a row."""
    name, protocol = PROTOCOLS[row.protocol]
    values = merge(preset(name), protocol)
    values["data"] = {"root": str(data / "pairs" if row.protocol == "noise_pairs" else data / "images")} | values[
        "data"
    ]
    changed = merge(values, row.changes)
    return validate(merge(changed, {"training": {"seed": seed, "steps": steps}}))


def findings(run: Path) -> list[tuple[int, str]]:
    """What the monitor told, in order: the step and the name of what began."""
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [
        (line["step"], finding["name"])
        for line in lines
        for finding in line.get("health", {}).get("findings", ())
        if not finding["passed"]
    ]


def measure(row: str, seed: int, steps: int, *, data: Path, out: Path) -> dict[str, Any]:
    """Train a row; one line of the CSV file."""
    start = time.perf_counter()
    chosen, run = ROWS[row], out / f"{row}-{seed}"
    train(recipe(chosen, data=data, seed=seed, steps=steps), run, resume=False, init=None, say=lambda line: None)
    found = findings(run)
    told = [step for step, finding in found if finding in chosen.expected]
    return {
        "row": row,
        "seed": seed,
        "steps": steps,
        "expected": " ".join(chosen.expected),
        "found": " ".join(f"{finding}@{step}" for step, finding in found),
        "right": int(bool(told) if chosen.expected else not found),
        "step": min(told, default=""),
        "seconds": round(time.perf_counter() - start, 1),
    }


def table(lines: Sequence[dict[str, str]]) -> str:
    """A Markdown table: failures and healthy runs, those for tuning and the others, each with its count."""
    out = []
    for failing in (True, False):
        for tuned in (True, False):
            group = [
                line
                for line in lines
                if bool(line["expected"]) == failing and (line["row"] in TUNING and line["seed"] == "0") == tuned
            ]
            if not group:
                continue
            right = sum(int(line["right"]) for line in group)
            kind = ("failures named" if failing else "healthy runs without an alarm") + (
                "" if tuned else ", not used for tuning"
            )
            out += [
                f"\n{kind}: {right} of {len(group)}\n",
                "| run | seed | expected | found | step |",
                "|---|---|---|---|---|",
            ]
            out += [
                f"| {line['row']} | {line['seed']} | {line['expected'].replace(' ', ' or ')} | "
                f"{line['found'].replace(' ', ', ')} | {line['step']} |"
                for line in group
            ]
    return "\n".join(out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, default=HERE / "health.csv", metavar="FILE")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N")
    parser.add_argument("--out", type=Path, metavar="RUNS")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if not arguments.table:
        with tempfile.TemporaryDirectory() as temporary:
            out = arguments.out or Path(temporary) / "runs"
            pictures(Path(temporary) / "digits")
            runs = [
                {"row": row, "seed": seed, "steps": arguments.steps}
                for seed in arguments.seeds
                for row in arguments.rows
            ]
            fill(arguments.csv, runs, partial(measure, data=Path(temporary) / "digits", out=out))
    print(table(read(arguments.csv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
