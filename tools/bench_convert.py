"""What `i2i convert` reaches of what the processors could: pictures a second over cores / core-time of one picture.

    python tools/bench_convert.py [--count 1000] [--size 256] [--scratch DIR] [--rounds 3] [--json FILE]

JPEG to PNG, with a U-Net-256 of random weights in 8-bit integers (`--fp32`: in floats; `--channels`, `--depth`: a
smaller one; `--model`: another file). It is exported once: --scratch keeps it for the next time.

The core-time of a picture is the processor time of decoding, of inference on one thread and of encoding, each measured
on the spot in a process of its own, before and after each conversion. *batch 4*: the core-time of inference a picture
where four go into the network at once. *used*: the processor time a picture of the whole command, its start among it;
what it has above the three stages is its own work, also on a busy machine. A row with cv2 to import and one without:
the codec uses Pillow alone, so both should be equal. Run it on an idle machine; what it is at is told on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_files
import numpy as np
from bench_files import Case

from i2i.files import publish_bytes, publish_text
from i2i.images.codec import encode, read
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.providers import processors

ROOT = Path(__file__).resolve().parents[1]
CONVERT = """
import sys, time
if sys.argv[1] == "pillow":
    sys.modules["cv2"] = None
from i2i.cli.main import main
code = main(["convert", *sys.argv[2:]])
print(time.process_time())
sys.exit(code)
"""


def model_in(folder: Path, case: Case, *, fp32: bool) -> Path:
    """The file of a U-Net with random weights that takes any size, exported where it is not there."""
    arguments = "-".join(f"{name}{value}" for name, value in case.arguments.items())
    path = folder / f"{case.network}-{arguments}-{'fp32' if fp32 else 'int8'}.onnx"
    if not path.exists():
        say(f"exporting the network in {'floats' if fp32 else '8-bit integers'}")
        model = bench_files.graph(case) if fp32 else bench_files.in_integers(case)
        publish_bytes(path, model.SerializeToString(), overwrite=True)
    say(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB")
    return path


def say(text: str) -> None:
    """Tell what is being done, and when."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def make_pictures(folder: Path, count: int, size: int) -> None:
    """JPEG files of soft noise, 16 different ones."""
    say(f"writing {count} pictures of {size} pixels")
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (16, size // 8 + 1, size // 8 + 1, 3), dtype=np.uint8)
    fine = coarse.repeat(8, 1).repeat(8, 2)[:, :size, :size] // 2 + random.integers(0, 64, (16, size, size, 3))
    data = [encode(picture.astype(np.uint8), format="jpg") for picture in fine]
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(data[number % len(data)])


def core_times(model: Path, folder: Path, count: int = 24) -> dict[str, float]:
    """Seconds of processor time a picture, on one thread: decode, infer, encode, and infer in batches of 4."""
    session = OnnxSession(model, provider="cpu", threads=1)
    files = sorted(folder.iterdir())[:count]
    times = {}
    start = time.process_time()
    pictures = [read(file).pixels for file in files]
    times["decode"] = (time.process_time() - start) / len(files)
    session.run(pictures[0][None])
    start = time.process_time()
    results = [session.run(picture[None])[0] for picture in pictures]
    times["infer"] = (time.process_time() - start) / len(files)
    start = time.process_time()
    for result in results:
        encode(result, format="png")
    times["encode"] = (time.process_time() - start) / len(files)
    batches = [np.stack(pictures[at : at + 4]) for at in range(0, len(pictures) - 3, 4)]
    session.run(batches[0])
    start = time.process_time()
    for batch in batches:
        session.run(batch)
    times["batch 4"] = (time.process_time() - start) / (4 * len(batches))
    return times


def converted(model: Path, folder: Path, codec: str) -> tuple[float, float]:
    """Pictures a second of one conversion, as it says itself: without the start of Python; and all processor time that
    it took, in seconds.
    """
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", CONVERT, codec, str(model), str(folder), str(Path(name, "out"))]
        run = subprocess.run([*command, "--format", "png"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        summary, _, used = run.stdout.strip().rpartition("\n")
        return float(summary.rpartition(" pictures/s")[0].rpartition(" ")[2]), float(used)


def _measured(model: Path, folder: Path) -> dict[str, float]:
    """`core_times` in a process of its own."""
    command = [sys.executable, __file__, "--core-times", str(model), str(folder)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def round_of(model: Path, folder: Path, codec: str) -> tuple[dict[str, float], float]:
    """The core-times a picture around a conversion, their means, and of itself; its pictures a second."""
    say(f"{codec}: measuring the stages")
    before = _measured(model, folder)
    say(f"{codec}: converting")
    reached, used = converted(model, folder, codec)
    say(f"{codec}: {reached:.1f} pictures/s; measuring the stages again")
    after = _measured(model, folder)
    times = {name: (before[name] + after[name]) / 2 for name in before}
    return times | {"used": used / len(list(folder.iterdir()))}, reached


def compare(model: Path, folder: Path, rounds: int) -> dict[str, object]:
    """Print the table, medians over the rounds; the figures of each round."""
    cores = processors()
    shown: dict[str, object] = {"cores": cores}
    print("| | decode, ms | infer, ms | batch 4, ms | encode, ms | used, ms | bound, pictures/s | reached | share |")
    print("|---|---|---|---|---|---|---|---|---|")
    for codec in ("cv2", "pillow"):
        times, speeds = zip(*(round_of(model, folder, codec) for _ in range(rounds)), strict=True)
        middle = {name: statistics.median(each[name] for each in times) for name in times[0]}
        bounds = [cores / sum(each[name] for name in ("decode", "infer", "encode")) for each in times]
        shares = [reached / bound for reached, bound in zip(speeds, bounds, strict=True)]
        costs = " | ".join(f"{1000 * middle[name]:.2f}" for name in ("decode", "infer", "batch 4", "encode", "used"))
        bound, reached, share = (statistics.median(values) for values in (bounds, speeds, shares))
        spread = f"{share:.1%} ({min(shares):.1%} to {max(shares):.1%})"
        print(f"| {codec} | {costs} | {bound:.1f} | {reached:.1f} | {spread} |", flush=True)
        shown[codec] = {"times": times, "speeds": speeds, "share": share}
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="pictures (default: %(default)s)")
    parser.add_argument(
        "--size", type=int, default=256, metavar="N", help="of a side, in pixels (default: %(default)s)"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="an .onnx file in place of the U-Net")
    parser.add_argument("--fp32", action="store_true", help="the U-Net in floats")
    parser.add_argument("--channels", type=int, default=64, metavar="N", help="of the U-Net (default: %(default)s)")
    parser.add_argument("--depth", type=int, default=8, metavar="N", help="of the U-Net (default: %(default)s)")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="keep the U-Net's file here (default: nowhere)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="conversions a row (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all timings, replacing an older file")
    parser.add_argument("--core-times", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.core_times:
        print(json.dumps(core_times(*options.core_times)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        scratch, folder = options.scratch or Path(name), Path(name, "pictures")
        scratch.mkdir(parents=True, exist_ok=True)
        case = Case("unet", {"channels": options.channels, "depth": options.depth}, options.size)
        model = options.model or model_in(scratch, case, fp32=options.fp32)
        make_pictures(folder, options.count, options.size)
        results = compare(model.absolute(), folder, options.rounds)
    if options.json:
        publish_text(options.json, json.dumps(results, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    raise SystemExit(main())
