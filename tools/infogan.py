"""The bench of InfoGAN: do its codes find the digit, the slant and the weight of digits, of which it is told nothing?

usage: python tools/infogan.py [--csv FILE] [--seeds N ...]   trains the seeds that the file does not have; the table
       python tools/infogan.py --table                        the table of the results so far
       python tools/infogan.py --picture FILE [--seeds N]     what the codes do: a line of pictures for each category,
                                                              and in it each code from -1.5 to 1.5 (trains again)

Data: digits of 16 pixels in Pillow's own font, with a random slant (a shear of -0.3..0.3) and weight (lines 0..2 of 64
pixels wider on either side), 4,000 to learn from and 1,000 to measure on. Measured is Q, the reader of codes, on
pictures that it has not seen: the share whose likeliest category is that of their digit, after the best matching of
categories with digits (`scipy`, which comes with scikit-learn), and the largest correlation, without its sign, of a
continuous code with slant and with weight.

The networks are DCGAN's, narrow. Against the preset: 2 numbers of noise instead of 62, since there is nothing left to
vary here, and more noise would draw the digits past the categories; batches of 32; a critic's rate of 1e-3; 1,200
steps. Every seed is a line of the CSV file, written when it is done; what is there is not run again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from results import fill, read
from torch import Tensor

from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.data.images import ImageBatch
from i2i.methods.infogan import InfoGAN
from i2i.methods.parts import Parts
from i2i.networks.dcgan import DCGAN, DCGANCritic
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings
from i2i.weights.wrapper import evaluating

HERE = Path(__file__).resolve().parent
SIZE, DRAWN = 16, 64
TRAIN, TEST = 4000, 1000
SLANT, WEIGHT = 0.3, 2.0
BATCH, LATENT, CHANNELS = 32, 2, 16
RATE = 1e-3
MEASURED = ("accuracy", "slant", "weight", "mutual_information")
COLUMNS = 9  # of the picture, for each code


class Digits(NamedTuple):
    """Pictures (N, 1, 16, 16) in -1..1, their digits (N,), and their slant and weight (N, 2)."""

    pictures: Tensor
    digits: np.ndarray
    factors: np.ndarray


def digit(number: int, slant: float, weight: float) -> Image.Image:
    """One white digit on black."""
    large = Image.new("L", (DRAWN, DRAWN))
    font, middle = ImageFont.load_default(0.8 * DRAWN), DRAWN / 2
    ImageDraw.Draw(large).text((middle, middle), str(number), fill=255, font=font, anchor="mm", stroke_width=weight)
    sheared = large.transform(
        large.size, Image.Transform.AFFINE, (1, slant, -slant * middle, 0, 1, 0), Image.Resampling.BILINEAR
    )
    return sheared.resize((SIZE, SIZE), Image.Resampling.BOX)


@cache
def drawn(count: int, *, seed: int) -> Digits:
    """So many digits, a function of the seed."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 10, count)
    factors = np.stack((rng.uniform(-SLANT, SLANT, count), rng.uniform(0, WEIGHT, count)), 1)
    looks = [digit(int(number), *both) for number, both in zip(numbers, factors.tolist(), strict=True)]
    pictures = torch.from_numpy(np.stack([np.asarray(look) for look in looks])).float()[:, None] / 127.5 - 1
    return Digits(pictures, numbers, factors)


def build() -> tuple[InfoGAN, Engine]:
    """The method and the engine that plays it."""
    parts = Parts(
        source_planes=0,
        target_planes=1,
        generator=lambda planes, out: DCGAN(in_channels=planes, out_channels=out, size=SIZE, channels=CHANNELS),
        discriminator=lambda planes: DCGANCritic(in_channels=planes, size=SIZE, channels=CHANNELS),
        objective=NonSaturating,
    )
    method = InfoGAN(parts, latent_channels=LATENT)
    settings = dict.fromkeys(method.players(), OptimiserSettings(learning_rate=RATE))
    return method, Engine(method.players(), settings=settings)


def trained(seed: int, *, steps: int) -> tuple[InfoGAN, float]:
    """A trained method, and the mean bound of its last 100 steps, in nats."""
    torch.manual_seed(seed)
    method, engine = build()
    pictures = drawn(TRAIN, seed=0).pictures
    told = []
    for step in range(steps):
        engine.begin(seed=seed, step=step, rate_factor=1.0)
        chosen = pictures[torch.randint(TRAIN, (BATCH,))]
        told.append(float(method.training_step(engine.batch(ImageBatch(chosen)), engine)["mutual_information"]))
    return method, statistics.fmean(told[-100:])


def matched(categories: np.ndarray, digits: np.ndarray) -> tuple[float, np.ndarray]:
    """The share of pictures whose category is matched with their digit, and the digit of each of ten categories."""
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((10, 10), dtype=np.int64)
    np.add.at(counts, (categories, digits), 1)
    rows, columns = linear_sum_assignment(-counts)
    return counts[rows, columns].sum() / len(digits), columns


def correlations(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """|r| of each of C codes (N, C) with each of F factors (N, F): (C, F)."""
    count = codes.shape[1]
    both: np.ndarray = np.abs(np.corrcoef(codes.T, factors.T))
    return both[:count, count:]


def judged(method: InfoGAN) -> dict[str, float]:
    """What Q has found in pictures that it has not seen."""
    test = drawn(TEST, seed=1)
    read = method.read(test.pictures).numpy()
    accuracy, _ = matched(read[:, :10].argmax(1), test.digits)
    slant, weight = correlations(read[:, 10:], test.factors).max(0)
    return {"accuracy": float(accuracy), "slant": float(slant), "weight": float(weight)}


def measure(seed: int, *, steps: int) -> dict[str, Any]:
    """One line of the CSV file."""
    start = time.process_time()
    method, told = trained(seed, steps=steps)
    found = {**judged(method), "mutual_information": told}
    line = {"seed": seed, "steps": steps, **{name: round(value, 4) for name, value in found.items()}}
    return line | {"seconds": round(time.process_time() - start, 1)}


@torch.no_grad()
def picture(path: Path, method: InfoGAN) -> None:
    """A line for each category, in the order of their digits; one noise for all, the other code at 0."""
    test = drawn(TEST, seed=1)
    _, digits = matched(method.read(test.pictures)[:, :10].argmax(1).numpy(), test.digits)
    codes = torch.zeros(10, 2, COLUMNS, 12)
    codes[torch.arange(10), :, :, torch.from_numpy(digits.argsort())] = 1
    for code in range(2):
        codes[:, code, :, 10 + code] = torch.linspace(-1.5, 1.5, COLUMNS)
    with evaluating(method.generator):
        made = method.generator(torch.zeros(codes[..., 0].numel(), LATENT), codes.flatten(0, 2))
    levels = ((made + 1) * 127.5).round().to(torch.uint8).view(10, 2 * COLUMNS, SIZE, SIZE)
    sheet = levels.permute(0, 2, 1, 3).reshape(10 * SIZE, 2 * COLUMNS * SIZE).numpy()
    Image.fromarray(sheet).resize((sheet.shape[1] * 3, sheet.shape[0] * 3), Image.Resampling.NEAREST).save(path)


def table(lines: Sequence[dict[str, str]]) -> str:
    """A Markdown table: a line for each seed, and the medians."""
    rows = [[float(line[name]) for name in MEASURED] for line in lines]
    out = [
        "| seed | accuracy | r of slant | r of weight | the larger r | information, nats |",
        "|---|---|---|---|---|---|",
    ]
    out += [f"| {line['seed']} | {_row(row, max(row[1:3]))} |" for line, row in zip(lines, rows, strict=True)]
    if rows:
        larger = statistics.median(max(row[1:3]) for row in rows)
        medians = [statistics.median(column) for column in zip(*rows, strict=True)]
        out.append(f"| median of {len(rows)} | {_row(medians, larger)} |")
    return "\n".join(out)


def _row(values: Sequence[float], larger: float) -> str:
    accuracy, slant, weight, told = values
    return f"{accuracy:.1%} | {slant:.2f} | {weight:.2f} | {larger:.2f} | {told:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, default=HERE / "infogan.csv", metavar="FILE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], metavar="N", help="default: 0..4")
    parser.add_argument("--steps", type=int, default=1200, metavar="N")
    parser.add_argument("--table", action="store_true", help="print the table and end")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw what the first seed's codes do and end")
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on more
    if options.picture:
        picture(options.picture, trained(options.seeds[0], steps=options.steps)[0])
        return 0
    seeds = [] if options.table else options.seeds
    fill(options.csv, [{"seed": seed, "steps": options.steps} for seed in seeds], measure)
    print(table(read(options.csv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
