"""Time what a user waits for before anything happens: `python tools/startup.py`.

Medians of 20 runs, taken in turn so that a busy machine slows all of them alike. Targets: `i2i --help` less than 0.2 s
above Python's own start, `import i2i` less than 0.1 s above it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

RUNS = 20
COMMANDS = {
    "python -c pass": "pass",
    "import i2i": "import i2i",
    "i2i --help": "from contextlib import suppress\nfrom i2i.cli.main import main\n"
    "with suppress(SystemExit): main(['--help'])",
}
LIMITS = {"import i2i": 0.1, "i2i --help": 0.2}


def seconds(code: str) -> float:
    """How long a fresh interpreter takes to run `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def modules(code: str) -> int:
    """How many modules a fresh interpreter holds after `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(len(sys.modules))"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(run.stdout.splitlines()[-1])


def measure(runs: int) -> dict[str, float]:
    """The median time in seconds of each command."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, code in COMMANDS.items():
            times[name].append(seconds(code))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Print the table; returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs of each command (default {RUNS})")
    medians = measure(parser.parse_args().runs)
    base = medians["python -c pass"]
    print(f"{'command':16} {'seconds':>8} {'above python':>13} {'target':>7} {'modules':>8}")
    for name, value in medians.items():
        limit = f"{LIMITS[name]:.1f}" if name in LIMITS else "-"
        print(f"{name:16} {value:8.3f} {value - base:13.3f} {limit:>7} {modules(COMMANDS[name]):8}")
    return int(any(medians[name] - base >= limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
