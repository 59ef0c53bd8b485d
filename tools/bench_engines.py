"""How fast a generator runs on this machine: PyTorch, OpenVINO, onnxruntime on a plain export and on ours.

usage: python tools/bench_engines.py [--networks unet256 ...] [--engines ...] [--rounds N] [--threads N] [--json FILE]
       python tools/bench_engines.py --profile unet256 [--engines ort_int8]

One picture at a time. Each timing runs in a process of its own, in turn, since the waiting threads of one engine slow
another; the table gives medians over the rounds (least-greatest), and the size of the file. Weights are random: they
make no difference to the speed. `bound` is the time that the network's multiplications take at the pace of one large
convolution, measured here in each precision: no engine can be much faster. OpenVINO and nncf are optional
(`pip install openvino nncf`). --profile prints where an onnxruntime engine spends its time, by kind of node.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_files
from bench_files import CASES, FILES, Case

from i2i.files import publish_text

ROOT = Path(__file__).resolve().parents[1]
Step = Callable[[], object]
RUNS, WARMUP = 15, 3


def torch_step(case: Case, folder: Path, *, bf16: bool) -> Step:
    """The network alone in PyTorch, eager: float32, or bfloat16 with channels last."""
    import torch

    network, inputs = bench_files.network(case)
    planes = torch.from_numpy(bench_files.planes(case))
    if bf16:
        network, planes = network.to(memory_format=torch.channels_last), planes.to(memory_format=torch.channels_last)

    def step() -> object:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return network(planes, *inputs)

    return step


def onnxruntime_step(path: Path, case: Case, threads: int) -> Step:
    """A file in onnxruntime."""
    session, feed = bench_files.session(path, threads), bench_files.feed(case)
    return lambda: session.run(None, feed)


def openvino_step(path: Path, case: Case, threads: int, *, precision: str) -> Step:
    """A file in OpenVINO, in float32, bfloat16, or quantised by nncf. Raises ModuleNotFoundError without them."""
    import openvino

    core, feed = openvino.Core(), bench_files.feed(case)
    model = core.read_model(str(path))
    if precision == "int8":
        import nncf

        model = nncf.quantize(model, nncf.Dataset([feed] * 8), subset_size=8)
    kind = "bf16" if precision == "bf16" else "f32"
    hints = {"INFERENCE_PRECISION_HINT": kind, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(model, "CPU", hints | ({"INFERENCE_NUM_THREADS": threads} if threads else {}))
    return lambda: compiled(feed)


ENGINES: dict[str, tuple[str, Callable[[Case, Path, int], Step]]] = {
    "torch": ("PyTorch eager", lambda case, folder, threads: torch_step(case, folder, bf16=False)),
    "torch_bf16": ("PyTorch bf16", lambda case, folder, threads: torch_step(case, folder, bf16=True)),
    "openvino": (
        "OpenVINO fp32",
        lambda case, folder, threads: openvino_step(folder / "plain.onnx", case, threads, precision="fp32"),
    ),
    "openvino_bf16": (
        "OpenVINO bf16",
        lambda case, folder, threads: openvino_step(folder / "plain.onnx", case, threads, precision="bf16"),
    ),
    "openvino_int8": (
        "OpenVINO int8",
        lambda case, folder, threads: openvino_step(folder / "plain.onnx", case, threads, precision="int8"),
    ),
    "ort": (
        "onnxruntime, plain",
        lambda case, folder, threads: onnxruntime_step(folder / "plain.onnx", case, threads),
    ),
    "ort_rewritten": (
        "rewritten",
        lambda case, folder, threads: onnxruntime_step(folder / "rewritten.onnx", case, threads),
    ),
    "ort_int8": (
        "rewritten, int8",
        lambda case, folder, threads: onnxruntime_step(folder / "int8.onnx", case, threads),
    ),
}
BOUNDS = ("fp32", "bf16", "int8")


def milliseconds(step: Step, runs: int) -> float:
    """The median time of a step in this process."""
    times = []
    for _ in range(WARMUP + runs):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[WARMUP:])


def worker(engine: str, case: Case, folder: Path, threads: int, runs: int) -> float:
    """One timing: of an engine, or of the large convolution (then multiplications a millisecond)."""
    if threads and not engine.startswith("ort"):
        import torch

        torch.set_num_threads(threads)
    if engine in BOUNDS:
        step, count = bench_files.large_convolution(engine, folder, threads)
        return count / milliseconds(step, runs)
    return milliseconds(ENGINES[engine][1](case, folder, threads), runs)


def timed(engine: str, name: str, folder: Path, options: argparse.Namespace) -> float | str:
    """A timing in a process of its own, or why there is none."""
    command = [sys.executable, __file__, "--worker", engine, "--networks", name, "--folder", str(folder)]
    command += ["--threads", str(options.threads), "--runs", str(options.runs), *(["--tiny"] if options.tiny else [])]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if ended.returncode == 0:
        return float(ended.stdout.strip().splitlines()[-1])
    last = (ended.stderr.strip().splitlines() or ["failed"])[-1]
    return "not installed" if "ModuleNotFoundError" in last else f"failed: {last[:80]}"


def measured(name: str, case: Case, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every engine on one network, the engines in turn."""
    found: dict[str, list[float | str]] = {engine: [] for engine in (*options.engines, *BOUNDS)}
    for _ in range(options.rounds):
        for engine, times in found.items():
            times.append(timed(engine, name, folder, options))
    count = bench_files.multiplications(folder / "plain.onnx", case)
    sizes = {file: (folder / f"{file}.onnx").stat().st_size for file in FILES}
    paces = {bound: found.pop(bound) for bound in BOUNDS}
    bounds = {
        bound: [count / pace if isinstance(pace, float) else pace for pace in values] for bound, values in paces.items()
    }
    return {"multiplications": count, "bytes": sizes, "milliseconds": found, "bound": bounds}


def shown(values: list[float | str]) -> str:
    """Median (least-greatest), or why there is none."""
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values):
        return next(str(value) for value in values if not isinstance(value, float))
    return f"{statistics.median(numbers):.1f} ({min(numbers):.1f}-{max(numbers):.1f})"


def table(results: dict[str, dict[str, Any]], engines: list[str]) -> str:
    """The results as Markdown."""
    heads = [*(ENGINES[engine][0] for engine in engines), *(f"bound {bound}" for bound in BOUNDS), "plain/ours/int8"]
    lines = [f"| ms | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, result in results.items():
        cells = [shown(result["milliseconds"][engine]) for engine in engines]
        cells += [shown(result["bound"][bound]) for bound in BOUNDS]
        sizes = " / ".join(f"{result['bytes'][file] / 1e6:.0f}" for file in FILES)
        lines.append(f"| {name} ({result['multiplications'] / 1e9:.1f} G) | {' | '.join(cells)} | {sizes} MB |")
    return "\n".join(lines)


def profile(case: Case, folder: Path, engine: str, options: argparse.Namespace) -> str:
    """Where an engine's time goes: milliseconds a run by kind of node, the most first."""
    names = {"ort": "plain", "ort_rewritten": "rewritten", "ort_int8": "int8"}
    session = bench_files.session(folder / f"{names[engine]}.onnx", options.threads, profile=str(folder / "trace"))
    feed = bench_files.feed(case)
    for _ in range(options.runs):
        session.run(None, feed)
    events = json.loads(Path(session.end_profiling()).read_text())
    totals: dict[str, float] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            kind = event["args"]["op_name"]
            totals[kind] = totals.get(kind, 0.0) + event["dur"] / 1000 / options.runs
    whole = sum(totals.values())
    lines = [f"{ENGINES[engine][0]}: {whole:.1f} ms"]
    ordered = sorted(totals.items(), key=lambda entry: -entry[1])
    return "\n".join(
        [*lines, *(f"  {kind:24} {time_:8.2f} ms {100 * time_ / whole:5.1f} %" for kind, time_ in ordered)]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", choices=list(CASES), default=list(CASES), help="(default: all)")
    parser.add_argument("--engines", nargs="*", choices=list(ENGINES), default=list(ENGINES), help="(default: all)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="processes of each engine (default: 3)")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="pictures in each (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of an engine (default: its own choice)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all timings, replacing an older file")
    parser.add_argument("--profile", choices=list(CASES), help="print where the time goes, by kind of node")
    parser.add_argument("--tiny", action="store_true", help="small networks and pictures, to try the tool out")
    parser.add_argument("--worker", choices=[*ENGINES, *BOUNDS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    cases = bench_files.TINY if options.tiny else CASES
    if options.worker:
        print(worker(options.worker, cases[options.networks[0]], options.folder, options.threads, options.runs))
        return 0
    results = {}
    for name in [options.profile] if options.profile else options.networks:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            bench_files.write(cases[name], folder)
            if options.profile:
                engines = [engine for engine in options.engines if engine.startswith("ort")]
                print("\n".join(profile(cases[name], folder, engine, options) for engine in engines))
            else:
                results[name] = measured(name, cases[name], folder, options)
    if results:
        print(table(results, options.engines))
    if results and options.json:
        publish_text(options.json, json.dumps(results, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
