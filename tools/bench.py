"""Training speed: our step of a method against a plain textbook step of the same networks on the same batch.

usage: python tools/bench.py [--methods pix2pix cyclegan ...] [--rounds N] [--fp32] [--json FILE]

The textbook step is what tutorials write: float32, NCHW, ordinary Adam, two backward passes. Each timing runs in a
process of its own, in turn (ours, textbook, ours, ...); the table gives medians over the rounds. Run it on an idle
machine: anything else on it changes the ratio. `--fp32` leaves bf16 out, which takes minutes a step where the processor
has to imitate it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from i2i.files import publish_text

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("ours bf16", "ours fp32", "textbook")


# A method is one file with CASES, and `ours(case, precision)` and `textbook(case)` that give a step.
FILES = ("bench_pix2pix", "bench_cyclegan", "bench_stargan")


def cases(names: Sequence[str] = FILES) -> dict[str, tuple[ModuleType, Any]]:
    """Every comparison by name: the file it is in, and its networks and batch."""
    files = [import_module(name) for name in names]
    return {name: (file, case) for file in files for name, case in file.CASES.items()}


def worker(engine: str, name: str, *, steps: int = 10, warmup: int = 3) -> float:
    """Median milliseconds of a step in this process."""
    file, case = cases()[name]
    step = file.textbook(case) if engine == "textbook" else file.ours(case, engine.split()[1])
    times = []
    for _ in range(warmup + steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[warmup:])


def compare(name: str, rounds: int, engines: Sequence[str] = ENGINES) -> dict[str, list[float]]:
    """Every engine's times on one case, the engines in turn."""
    times: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            command = [sys.executable, __file__, "--worker", engine, "--case", name]
            run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            times[engine].append(float(run.stdout))
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="timings of each engine (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all timings, replacing an older file")
    parser.add_argument("--fp32", action="store_true", help="without bf16")
    parser.add_argument("--worker", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=list(cases()), help=argparse.SUPPRESS)
    methods = [name.removeprefix("bench_") for name in FILES]
    parser.add_argument("--methods", nargs="*", choices=methods, default=methods, help="(default: all)")
    options = parser.parse_args()
    if options.worker:
        print(worker(options.worker, options.case))
        return 0
    results = {}
    *own, textbook = engines = ENGINES[1:] if options.fp32 else ENGINES
    heads = [*(f"{engine}, ms" for engine in engines), *(f"{textbook} / {engine}" for engine in own)]
    print(f"| networks | {' | '.join(heads)} |")
    print("|---" * (len(heads) + 1) + "|")
    for name in cases([f"bench_{method}" for method in options.methods]):
        times = results[name] = compare(name, options.rounds, engines)
        middle = {engine: statistics.median(values) for engine, values in times.items()}
        shown = [f"{middle[e]:.0f} ({min(times[e]):.0f}-{max(times[e]):.0f})" for e in engines]
        ratios = [f"{middle[textbook] / middle[engine]:.2f}" for engine in own]
        print(f"| {name} | {' | '.join([*shown, *ratios])} |", flush=True)
    if options.json:
        publish_text(options.json, json.dumps(results, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
