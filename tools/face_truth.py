"""Is the right thing changed, and nothing else? `python tools/face_truth.py MODEL DIR [--json FILE]`.

DIR is what `tools/faces.py` writes: test faces, and for each what it becomes with one attribute switched and nothing
else. MODEL switches the same attribute. A line for every attribute:
  inside    PSNR of the model's picture to the true one, over the pixels that truly change and those within 2 px of them
  input     the same of the untouched face: what doing nothing gives
  gain      the difference, dB
  outside   how much the model changes all other pixels: mean |change| in per cent of the range
Means over the faces; a face's PSNR counts at most 100 dB.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

import i2i
from i2i.data.attribute_list import AttributeList, read_list
from i2i.files import publish_text
from i2i.images.codec import list_images, read
from i2i.metrics.psnr import CAP
from i2i.runtime.translator import Translator

Picture = NDArray[np.uint8]  # H,W,C

REACH = 2  # px around what truly changes


class Measured(NamedTuple):
    """One face or the mean of many; PSNR in dB, `outside` in 0..1."""

    inside: float
    input: float
    outside: float


def changing(face: Picture, truth: Picture) -> NDArray[np.bool_]:
    """The pixels that truly change, and those within 2 px of them (across, down and diagonally); (H, W)."""
    differs = (face != truth).any(axis=2)
    around: NDArray[np.bool_] = binary_dilation(differs, np.ones((3, 3), bool), iterations=REACH)
    return around


def measure(face: Picture, made: Picture, truth: Picture) -> Measured:
    """One face that was translated. Raises ValueError where nothing truly changes."""
    inside = changing(face, truth)
    if not inside.any():
        raise ValueError("the truth is the face itself")
    change = np.abs(made.astype(np.float64) - face)[~inside] / 255
    return Measured(_psnr(made[inside], truth[inside]), _psnr(face[inside], truth[inside]), float(change.mean()))


def _psnr(got: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> float:
    squared = float(((got.astype(np.float64) - wanted) ** 2).mean())
    return min(CAP, float(10 * np.log10(255**2 / squared))) if squared else CAP


def measured(translate: Translator, root: Path) -> dict[str, tuple[int, Measured]]:
    """For each attribute that the model has how many faces there are, and the means over them."""
    listed, colour = read_list(root / "list_attr.txt"), translate.card.source.colour
    assert translate.card.condition is not None  # the caller has seen to it
    found = {}
    for attribute in translate.card.condition.names:
        folder = root / "truth" / attribute
        rows = []
        for name in list_images(folder) if folder.is_dir() else []:
            face = read(root / "test" / name, colour=colour).pixels
            made = translate.batch([face], set={attribute: 1 - _value(listed, f"test/{name}", attribute)})[0]
            rows.append(measure(face, made, read(folder / name, colour=colour).pixels))
        if rows:
            found[attribute] = len(rows), Measured(*np.mean(rows, axis=0).tolist())
    return found


def _value(listed: AttributeList, file: str, attribute: str) -> float:
    return float(listed.values[listed.files.index(file), listed.names.index(attribute)])


def table(found: Mapping[str, tuple[int, Measured]]) -> str:
    """The table in Markdown."""
    rows = [
        f"| {name} | {count} | {one.inside:.2f} | {one.input:.2f} | {one.inside - one.input:+.2f} | "
        f"{100 * one.outside:.2f} % |"
        for name, (count, one) in found.items()
    ]
    return "\n".join(["| attribute | faces | inside | input | gain | outside |", "|---|---|---|---|---|---|", *rows])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("root", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values, replacing an older file")
    options = parser.parse_args()
    translate = i2i.load(options.model)
    condition = translate.card.condition
    if not isinstance(translate, Translator) or condition is None or condition.kind != "attributes":
        raise SystemExit(f"{options.model} is no translator of attributes")
    found = measured(translate, options.root)
    if not found:
        raise SystemExit(f"{options.root}/truth holds none of {', '.join(condition.names)}")
    print(table(found))
    if options.json is not None:
        values = {
            name: {"n": count, **one._asdict(), "gain": one.inside - one.input} for name, (count, one) in found.items()
        }
        publish_text(options.json, json.dumps(values, indent=2) + "\n", overwrite=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
