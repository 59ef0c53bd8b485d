"""Does training in bf16 cost quality? The same trainings in fp32 and bf16, measured on the test tiles.

usage: python tools/precision.py --out RUNS [--steps N] [--seeds N] [--json FILE]

A narrow pix2pix (U-Net of depth 6, 16 channels, 64 px, batch 8) on the bundled pairs; each seed once in each precision.
Finished runs are not trained again. The table gives the mean over the seeds, and the standard deviation in brackets:
a difference that is small beside the deviation is chance.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from i2i.files import publish_text

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests/data/earth"
PRECISIONS = ("fp32", "bf16")
METRICS = ("psnr", "ssim", "l1", "gradient", "spectrum", "checkerboard")
RECIPE = {
    "data.root": DATA,
    "data.source": "satellite",
    "data.target": "relief",
    "data.augmentation.size": 64,
    "data.augmentation.mode": "crop",
    "data.augmentation.flips": "[]",
    "generator.channels": 16,
    "generator.depth": 6,
    "generator.upsampling": "resize",
    "discriminator.channels": 16,
    "training.batch_size": 8,
    "training.sample_every": 0,
    "training.evaluate_every": 0,
    "training.checkpoint_every": 0,
    "training.monitored_pictures": 48,
    "training.metrics": f"[{', '.join(METRICS)}]",
}


def metrics(run: Path, precision: str, seed: int, steps: int) -> dict[str, float]:
    """The metrics of one run after its last step; trains it when it is not there."""
    if not (run / "report.html").exists():
        words = ["train", "pix2pix", "--out", str(run), "--steps", str(steps), "--training.seed", str(seed)]
        words += ["--training.precision", precision]
        words += [f"--{name}={value}" for name, value in RECIPE.items()]
        subprocess.run([sys.executable, "-m", "i2i", *words], cwd=ROOT, check=True)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    found: dict[str, float] = [line["metrics"] for line in lines if "metrics" in line][-1]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="RUNS")
    parser.add_argument("--steps", type=int, default=800, metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values, replacing an older file")
    options = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in PRECISIONS}
    for seed in range(options.seeds):
        for name in PRECISIONS:
            rows[name].append(metrics(options.out.resolve() / f"{name}-{seed}", name, seed, options.steps))
    print(f"| | {' | '.join(METRICS)} |\n{'|---' * (len(METRICS) + 1)}|")
    for name, runs in rows.items():
        columns = [[run[metric] for run in runs] for metric in METRICS]
        cells = [f"{statistics.mean(c):.3f} ({statistics.stdev(c) if len(c) > 1 else 0:.3f})" for c in columns]
        print(f"| {name} | {' | '.join(cells)} |")
    if options.json:
        publish_text(options.json, json.dumps(rows, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
