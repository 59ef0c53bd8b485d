"""Peak memory of `i2i convert` for 1 and for many copies of a picture: it must not grow with their number.

    python tools/memory_convert.py MODEL [--picture FILE] [--counts 1 500] [--most RATIO]

Each conversion runs in a process of its own. Without --picture a 256x256 picture of noise is made. With --most the exit
code is 1 when the ratio of the peaks is above RATIO.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# VmHWM is the process's own high-water mark: unlike getrusage's, it does not begin with that of the parent.
PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
from i2i.cli.main import main
code = main(["convert", *sys.argv[2:]])
status = open("/proc/self/status").read()
print("peak", status.split("VmHWM:")[1].split()[0])
sys.exit(code)
"""


def peak_kilobytes(model: str, picture: bytes, *, suffix: str, count: int) -> int:
    """Convert `count` copies of the picture in a new process; its peak resident memory in KiB."""
    with tempfile.TemporaryDirectory() as name:
        source, output = Path(name, "in"), Path(name, "out")
        source.mkdir()
        for number in range(count):
            (source / f"{number:05}{suffix}").write_bytes(picture)
        return peak_of([model, str(source), str(output)])


def peak_of(arguments: list[str]) -> int:
    """Run `i2i convert` with these arguments in a new process; its peak resident memory in KiB."""
    command = [sys.executable, "-c", PROBE, str(ROOT), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout.rsplit("peak ", 1)[1])


def noise() -> bytes:
    """A PNG of 256x256 random colours."""
    import io

    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def main() -> int:
    """Print one line for each count, and the ratio of the last peak to the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 500], metavar="N")
    parser.add_argument("--most", type=float, metavar="RATIO")
    arguments = parser.parse_args()
    picture = arguments.picture.read_bytes() if arguments.picture else noise()
    suffix = arguments.picture.suffix if arguments.picture else ".png"
    peaks = [peak_kilobytes(arguments.model, picture, suffix=suffix, count=count) for count in arguments.counts]
    for count, peak in zip(arguments.counts, peaks, strict=True):
        print(f"{count:6} pictures: {peak / 1024:8.1f} MiB")
    ratio = peaks[-1] / peaks[0]
    print(f"ratio {ratio:.3f}")
    return int(arguments.most is not None and ratio > arguments.most)


if __name__ == "__main__":
    raise SystemExit(main())
