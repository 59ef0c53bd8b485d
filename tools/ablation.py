"""The ablation of the pix2pix paper (Isola et al. 2017, table 1) on a folder of pairs: which term does what.

usage: python tools/ablation.py --data DIR --out RUNS [--steps N] [-c FILE.yaml] [--test DIR] [--json FILE]

Trains L1, GAN, cGAN, L1+GAN and L1+cGAN with equal steps, one after the other, and measures each on test tiles beside
three colour maps. Runs that are finished are not trained again, interrupted ones go on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from runs import ROOT, finish, python

from i2i.files import publish_text

L1_WEIGHT = "100"  # the paper's
VARIANTS = {
    "l1": ["--method.l1_weight", L1_WEIGHT, "--method.adversarial_weight", "0"],
    "gan": ["--method.l1_weight", "0", "--method.conditional", "false"],
    "cgan": ["--method.l1_weight", "0"],
    "l1_gan": ["--method.l1_weight", L1_WEIGHT, "--method.conditional", "false"],
    "l1_cgan": ["--method.l1_weight", L1_WEIGHT],
}
COLUMNS = ("psnr", "ssim", "kid", "gradient", "spectrum", "checkerboard")


def train(name: str, options: argparse.Namespace) -> None:
    """Train one variant unless its run is finished."""
    fixed = ["--data", str(options.data.absolute()), "-c", str(options.config.absolute())]
    finish(options.out / name, "pix2pix", *fixed, "--steps", str(options.steps), "--name", name, *VARIANTS[name])


def measure(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The metrics on the test tiles by subject: the colour maps, then the variants."""
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in VARIANTS:
            file = Path(folder, f"{name}.json")
            run, test = (str(path.absolute()) for path in (options.out / name, options.test))
            words = ["evaluate", run, "--data", test, "--metrics", "all"]
            python("-m", "i2i", *words, "--json", str(file), *(["--baselines"] if not rows else []))
            rows[name] = json.loads(file.read_text())
    return {**rows["l1"]["baselines"], **rows}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The metrics as a Markdown table."""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[column]:.3f}" if isinstance(row.get(column), float) else "" for column in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="made by tools/earth_pairs.py")
    parser.add_argument("--out", type=Path, required=True, metavar="RUNS", help="one run folder for each variant")
    parser.add_argument("--steps", type=int, default=3000, metavar="N")
    parser.add_argument("-c", "--config", type=Path, default=ROOT / "pretrained/satellite2relief/recipe.yaml")
    parser.add_argument("--test", type=Path, default=ROOT / "tests/data/earth", metavar="DIR", help="where to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values, replacing an older file")
    options = parser.parse_args()
    for name in VARIANTS:
        train(name, options)
    rows = measure(options)
    print(table(rows))
    if options.json:
        kept = {name: {column: row.get(column) for column in COLUMNS} for name, row in rows.items()}
        publish_text(options.json, json.dumps(kept, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
