"""What each part of StarGAN does (Choi et al. 2018, arXiv 1711.09020): `python tools/stargan_ablation.py FACES RUNS`.

FACES is made by `tools/faces.py FACES --size 32`. Trains the full method, it without the classification loss, without
the reconstruction loss, with the condition as planes behind the picture (the published form) in place of conditional
norms, and with the labels asked for (the published form) in place of differences: equal steps of one small network, one
after the other; what is finished is not trained again. Prints a Markdown table over the split test, a line for each:
`accuracy` (attributes that a judge reads as asked for) beside `real_accuracy` (of real faces), `kept` (the others that
it reads as they were), `cycle_psnr` (of pictures and their way there and back, dB), and beside the true faces
(`tools/face_truth.py`) `gain` (PSNR where something truly changes, above doing nothing, dB) and `outside` (mean change
of all other pixels, 0..1), means over the attributes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from runs import finish, python

VARIANTS = {
    "full": [],
    "no_classification": ["--method.classification_weight", "0"],
    "no_reconstruction": ["--method.reconstruction_weight", "0"],
    "planes": ["--generator.conditioning", "planes"],
    "labels": ["--method.differences", "false"],
}
COLUMNS = ("accuracy", "real_accuracy", "kept", "cycle_psnr", "gain", "outside")
GROUP = "[[black_hair, fair_hair, red_hair, grey_hair]]"


def settings(size: int, channels: int, steps: int) -> list[str]:
    """What all the variants share: the game of `pretrained/faces-attributes`, small and faster."""
    layers = size.bit_length() - 2  # down to 2x2
    return [
        *("--data.type", "attributes", "--data.exclusive_groups", GROUP, "--data.augmentation.size", str(size)),
        *("--generator.channels", str(channels), "--generator.blocks", "4", "--discriminator.channels", "24"),
        *("--generator.masked", "true", "--generator.upsampling", "resize", "--method.differences", "true"),
        *("--discriminator.size", str(size), "--discriminator.layers", str(layers)),
        *("--objective", "non_saturating", "--stabilisers", "[{type: r1, gamma: 0.003}]"),
        *("--method.reconstruction_weight", "5", "--optimiser.learning_rate", "8e-4"),
        *("--training.batch_size", "8", "--training.average_decay", "0.99", "--steps", str(steps)),
        *("--training.precision", "fp32", "--training.threads", "1", "--training.evaluate_every", "0"),
    ]


def measured(run: Path, faces: Path) -> dict[str, float]:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "scores.json")
        asked = ["--metrics", "accuracy,cycle_psnr", "--json", str(file)]
        python("-m", "i2i", "evaluate", str(run.absolute()), "--data", str(faces.absolute()), *asked)
        found: dict[str, Any] = json.loads(file.read_text())
        python("tools/face_truth.py", str(run.absolute()), str(faces.absolute()), "--json", str(file))
        truth = json.loads(file.read_text()).values()
    means = {name: statistics.fmean(one[name] for one in truth) for name in ("gain", "outside")}
    return {name: float(value) for name, value in (found | means).items() if name in COLUMNS}


def row(name: str, values: dict[str, float]) -> str:
    """A line of the table in Markdown."""
    return f"| {name} | " + " | ".join(f"{values[column]:.3f}" for column in COLUMNS) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="FACES")
    parser.add_argument("runs", type=Path, metavar="RUNS")
    parser.add_argument("--steps", type=int, default=2000, metavar="N", help="of each variant (default: %(default)s)")
    parser.add_argument("--size", type=int, default=32, metavar="PX", help="a power of two (default: %(default)s)")
    parser.add_argument("--channels", type=int, default=16, metavar="N", help="of the generator (default: %(default)s)")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS), metavar="VARIANT")
    options = parser.parse_args()
    shared = settings(options.size, options.channels, options.steps)
    for name in options.only:
        finish(options.runs / name, "stargan", "--data", str(options.faces.absolute()), *shared, *VARIANTS[name])
    print(f"| | {' | '.join(COLUMNS)} |\n|---{'|---' * len(COLUMNS)}|")
    for name in options.only:
        print(row(name, measured(options.runs / name, options.faces)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
