"""How long a picture takes in the browser: `python tools/page_times.py [--runs 20]`.

One model at 64 px (line2emoji) and one at 128 px (satellite2relief), in headless Chromium, with one thread and with all
that the page would use. The figure is the median of the times that the page shows, which are the model's alone. Needs
chromium, playwright and npm.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

from browser import browser, served, status

from i2i import files
from i2i.embedding.contents import embedded, kit
from i2i.embedding.onnxruntime_web import onnxruntime_web
from i2i.images import codec
from i2i.loading import resolve
from i2i.runtime.translator import Array

MODELS = {"line2emoji": 64, "satellite2relief": 128}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="pictures a figure (default: %(default)s)")
    arguments = parser.parse_args()
    print("| model | px | threads | ms a picture |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch, browser() as context:
        for name, side in MODELS.items():
            folder = Path(scratch, name)
            model = embedded(resolve(name, engine="onnx"))
            picture = Path(scratch, f"{name}.png")
            files.publish_bytes(picture, codec.encode(square(model.examples[0], side), format="png"))
            files.publish_folder(folder, kit([model], onnxruntime_web()))
            with served(folder) as address:
                for query in ("?threads=1", ""):
                    times, threads = measured(context, address + query, picture, arguments.runs)
                    print(f"| {name} | {side} | {threads} | {statistics.median(times):.0f} |", flush=True)


def square(pixels: Array, side: int) -> Array:
    """A picture uint8 [H, W, C] at side x side."""
    resized = codec.to_pil(pixels).resize((side, side))
    return codec.from_pil(resized, colour="gray" if pixels.shape[2] == 1 else "rgb").pixels


def measured(context: Any, address: str, picture: Path, runs: int) -> tuple[list[float], int]:
    """The times of `runs` translations of a file in ms, the first one left out, and the threads that were used."""
    page = context.new_page()
    page.goto(address)
    status(page, "Ready|ms on")
    times, threads = [], 0
    for _ in range(runs + 1):
        before = int(page.evaluate("Number(document.body.dataset.runs ?? 0)"))
        page.set_input_files("#file", [])
        page.set_input_files("#file", str(picture))
        page.locator(f"body[data-runs='{before + 1}']").wait_for()
        shown = re.search(r"([\d.]+) ms on (\d+)", page.text_content("#status"))
        assert shown is not None  # a run has ended
        times.append(float(shown[1]))
        threads = int(shown[2])
    page.close()
    return times[1:], threads


if __name__ == "__main__":
    main()
