"""Training speed: our pix2pix step against a plain textbook step of the same networks on the same batch.

usage: python tools/bench.py [--rounds N] [--json FILE]

The textbook step is what tutorials write: float32, NCHW, ordinary Adam, two backward passes. Each timing runs in a
process of its own, in turn (ours, textbook, ours, ...); the table gives medians over the rounds. Run it on an idle
machine: anything else on it changes the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("ours bf16", "ours fp32", "textbook")


class Case(NamedTuple):
    """Networks and batch of one comparison."""

    channels: int
    depth: int
    batch: int


CASES = {"U-Net-128, 32 channels, batch 8": Case(32, 7, 8), "U-Net-256, 64 channels, batch 1": Case(64, 8, 1)}


def ours(case: Case, precision: str) -> Callable[[], None]:
    """Our step: the engine and the method as a training uses them."""
    from i2i.adversarial.objectives import OBJECTIVES
    from i2i.data.paired import PairedBatch
    from i2i.methods.parts import Parts
    from i2i.methods.pix2pix import Pix2Pix
    from i2i.training.engine import Engine
    from i2i.training.optimisers import OptimiserSettings

    generator, discriminator, source, target = parts(case)
    method = Pix2Pix(
        Parts(
            source_planes=3,
            target_planes=3,
            generator=lambda planes, out: generator,
            discriminator=lambda planes: discriminator,
            objective=OBJECTIVES["non_saturating"],
        )
    )
    engine = Engine(
        method.players(),
        settings={name: OptimiserSettings() for name in method.players()},
        precision="bf16" if precision == "bf16" else "fp32",
    )

    def step() -> None:
        engine.begin(seed=0, step=0, rate_factor=1.0)
        method.training_step(engine.batch(PairedBatch(source, target)), engine)

    return step


def textbook(case: Case) -> Callable[[], None]:
    """The step of tutorials: float32, NCHW, ordinary Adam."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    generator, discriminator, source, target = parts(case)
    adam_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))

    def step() -> None:
        fake = generator(source)
        discriminator.requires_grad_(True)
        adam_d.zero_grad()
        real_score = discriminator(torch.cat((source, target), 1)).score
        fake_score = discriminator(torch.cat((source, fake.detach()), 1)).score
        real_loss = cross_entropy(real_score, torch.ones_like(real_score))
        fake_loss = cross_entropy(fake_score, torch.zeros_like(fake_score))
        torch.autograd.backward((real_loss + fake_loss) / 2)
        adam_d.step()
        discriminator.requires_grad_(False)
        adam_g.zero_grad()
        score = discriminator(torch.cat((source, fake), 1)).score
        torch.autograd.backward(cross_entropy(score, torch.ones_like(score)) + 100 * (fake - target).abs().mean())
        adam_g.step()

    return step


def parts(case: Case):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Both networks and one batch of noise, seeded."""
    import torch

    from i2i.networks.patchgan import PatchGAN
    from i2i.networks.unet import UNet

    torch.manual_seed(0)
    side = 2**case.depth
    pictures = torch.rand(2, case.batch, 3, side, side) * 2 - 1
    return UNet(channels=case.channels, depth=case.depth), PatchGAN(), pictures[0], pictures[1]


def worker(engine: str, case: Case, *, steps: int = 10, warmup: int = 3) -> float:
    """Median milliseconds of a step in this process."""
    step = textbook(case) if engine == "textbook" else ours(case, engine.split()[1])
    times = []
    for _ in range(warmup + steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[warmup:])


def compare(name: str, rounds: int) -> dict[str, list[float]]:
    """Every engine's times on one case, the engines in turn."""
    times: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds):
        for engine in ENGINES:
            command = [sys.executable, __file__, "--worker", engine, "--case", name]
            run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            times[engine].append(float(run.stdout))
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="timings of each engine (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all timings as well")
    parser.add_argument("--worker", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(worker(options.worker, CASES[options.case]))
        return 0
    results = {}
    heads = [*(f"{engine}, ms" for engine in ENGINES), "textbook / bf16", "textbook / fp32"]
    print(f"| networks | {' | '.join(heads)} |")
    print("|---" * (len(ENGINES) + 3) + "|")
    for name in CASES:
        times = results[name] = compare(name, options.rounds)
        middle = {engine: statistics.median(values) for engine, values in times.items()}
        shown = " | ".join(f"{middle[e]:.0f} ({min(times[e]):.0f}-{max(times[e]):.0f})" for e in ENGINES)
        ratios = [middle["textbook"] / middle[engine] for engine in ENGINES[:2]]
        print(f"| {name} | {shown} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
