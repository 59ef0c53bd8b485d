"""What `i2i convert` reaches of what the processors could: pictures a second over cores / core-time of one picture.

    python tools/bench_convert.py [--count 1000] [--size 256] [--model MODEL] [--rounds 3] [--json FILE]

JPEG to PNG. The core-time of a picture is the processor time of decoding, of inference on one thread and of encoding,
each measured on the spot in a process of its own. Without --model a U-Net-256 with random weights is exported first
(`--channels`, `--depth` make it smaller). Both with and without cv2 to import: the codec uses Pillow alone, so the two
should be equal. *batch 4*: the core-time of inference a picture where four go into the network at once. Run it on an
idle machine.
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

import numpy as np

from i2i.files import publish_text
from i2i.images.codec import encode, read
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.providers import processors

ROOT = Path(__file__).resolve().parents[1]
CONVERT = """
import sys
if sys.argv[1] == "pillow":
    sys.modules["cv2"] = None
from i2i.cli.main import main
sys.exit(main(["convert", *sys.argv[2:]]))
"""


def make_model(path: Path, *, channels: int, depth: int) -> None:
    """Export a U-Net with random weights that takes any size."""
    from i2i.export.onnx import export_onnx
    from i2i.images.card import ImageCard, NetworkSpec, Sizing
    from i2i.networks.unet import UNet

    network = UNet(channels=channels, depth=depth).eval()
    sizing = Sizing(rule="pad", multiple=network.multiple, minimum=network.minimum)
    spec = NetworkSpec(type="unet", arguments={"channels": channels, "depth": depth})
    export_onnx(network, ImageCard(name="bench", method="pix2pix", sizing=sizing, network=spec), path)


def make_pictures(folder: Path, count: int, size: int) -> None:
    """JPEG files of soft noise, 16 different ones."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (16, size // 8 + 1, size // 8 + 1, 3), dtype=np.uint8)
    fine = coarse.repeat(8, 1).repeat(8, 2)[:, :size, :size] // 2 + random.integers(0, 64, (16, size, size, 3))
    data = [encode(picture.astype(np.uint8), format="jpg") for picture in fine]
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(data[number % len(data)])


def core_times(model: Path, folder: Path, count: int = 48) -> dict[str, float]:
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


def speed(model: Path, folder: Path, codec: str, *options: str) -> float:
    """Pictures a second of one conversion, as it says itself: without the start of Python."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", CONVERT, codec, str(model), str(folder), str(Path(name, "out"))]
        run = subprocess.run(
            [*command, "--format", "png", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return float(run.stdout.rpartition(" pictures/s")[0].rpartition(" ")[2])


def _measured(model: Path, folder: Path) -> dict[str, float]:
    """`core_times` in a process of its own."""
    command = [sys.executable, __file__, "--core-times", str(model), str(folder)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def compare(model: Path, folder: Path, rounds: int) -> dict[str, object]:
    """Print the table; the figures of each round."""
    cores = processors()
    shown: dict[str, object] = {"cores": cores}
    print("| | decode, ms | infer, ms | batch 4, ms | encode, ms | bound, pictures/s | reached | share |")
    print("|---|---|---|---|---|---|---|---|")
    for codec in ("cv2", "pillow"):
        times, speeds = [], []
        for _ in range(rounds):
            times.append(_measured(model, folder))
            speeds.append(speed(model, folder, codec))
        middle = {name: statistics.median(each[name] for each in times) for name in times[0]}
        bound = cores / (middle["decode"] + middle["infer"] + middle["encode"])
        reached = statistics.median(speeds)
        costs = " | ".join(f"{1000 * middle[name]:.2f}" for name in ("decode", "infer", "batch 4", "encode"))
        print(f"| {codec} | {costs} | {bound:.1f} | {reached:.1f} | {reached / bound:.1%} |", flush=True)
        shown[codec] = {"times": times, "speeds": speeds, "share": reached / bound}
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, metavar="N")
    parser.add_argument("--size", type=int, default=256, metavar="N")
    parser.add_argument("--model", type=Path, metavar="FILE", help="an .onnx file")
    parser.add_argument("--channels", type=int, default=64, metavar="N")
    parser.add_argument("--depth", type=int, default=8, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all timings, replacing an older file")
    parser.add_argument("--core-times", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.core_times:
        print(json.dumps(core_times(*options.core_times)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        model, folder = options.model or Path(name, "unet.onnx"), Path(name, "pictures")
        if options.model is None:
            make_model(model, channels=options.channels, depth=options.depth)
        make_pictures(folder, options.count, options.size)
        results = compare(model, folder, options.rounds)
    if options.json:
        publish_text(options.json, json.dumps(results, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    raise SystemExit(main())
