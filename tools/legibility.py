"""Whether generated characters can be read: `python tools/legibility.py MODEL --data DIR --source FILE [--count 200]`.

For each font that the model writes (`--domains` chooses some): held-out characters written by the model beside the real
glyphs. Columns: mean absolute difference, SSIM and overlap of ink with the real glyph; the same of the source glyph as
it is; the share of characters that a recogniser reads, top-1 and top-5, of the real glyphs and of the written ones; and
the latter relative to the former, which is the measure: no recogniser reads cursive fonts well. The characters with the
least overlap are listed, and `--sheet FILE.png` shows them (source | written | real).

The recogniser is PP-OCRv6 (small) from the PyPI package rapidocr (Apache-2.0), run by onnxruntime alone: a judge and no
part of i2i. pip fetches the package (27 MB) into `--cache` and its model is read from it; nothing is installed. DIR and
FILE are as in the recipe: `--characters`, `--test-characters` say which are held out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from command import METRICS, ended
from font_data import add_data_options, opened
from PIL import Image

from i2i.data.charsets import by_digest
from i2i.data.fonts_source import FontsSource
from i2i.data.writing import Writer
from i2i.errors import I2IError
from i2i.evaluation.fonts import scored
from i2i.evaluation.grids import grid
from i2i.files import publish_bytes, publish_text
from i2i.images.codec import encode

PACKAGE, INSIDE = "rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_rec_small.onnx"
HEIGHT, WIDTH = 48, 96  # what the recogniser sees: the character in the middle of a white line
BATCH = 16
WORST = 6

Glyph = npt.NDArray[np.uint8]


class Reader:
    """A recogniser of lines that ends in CTC, as a reader of single characters.

    `model`: the bytes of an ONNX file with the input float32 [N, 3, 48, W] in -1..1 and probabilities [N, T, C], of
    which the first class is "nothing"; its metadata `character` names the others, a line each.
    """

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        listed = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self.classes = [*listed, " "]

    def ranked(self, glyphs: Sequence[Glyph], *, best: int = 5) -> list[list[str]]:
        """The likeliest characters of each glyph, best first: by the highest probability at any place."""
        found: list[list[str]] = []
        for start in range(0, len(glyphs), BATCH):
            lines = np.stack([line(glyph) for glyph in glyphs[start : start + BATCH]])
            (chances,) = self._session.run(None, {self._input: lines})
            order = np.argsort(-chances.max(1)[:, 1:], axis=1, kind="stable")[:, :best]
            found += [[self.classes[number] for number in row] for row in order]
        return found


def line(glyph: Glyph) -> npt.NDArray[np.float32]:
    """A glyph (H, W) as the recogniser takes it, float32 [3, 48, 96]."""
    small = Image.fromarray(glyph).resize((HEIGHT, HEIGHT), Image.Resampling.BICUBIC)
    whole = np.ones((HEIGHT, WIDTH), np.float32)
    left = (WIDTH - HEIGHT) // 2
    whole[:, left : left + HEIGHT] = np.asarray(small, np.float32) / 127.5 - 1
    return np.stack([whole] * 3)


def share(ranked: list[list[str]], text: str, *, best: int) -> float:
    """The share of characters that are among the `best` likeliest ones."""
    return sum(c in row[:best] for row, c in zip(ranked, text, strict=True)) / max(len(text), 1)


@dataclass(frozen=True)
class Found:
    """What was measured on one font; `worst` are the characters with the least overlap of ink, worst first."""

    characters: int
    written: dict[str, float]
    source: dict[str, float]
    real_top1: float
    real_top5: float
    top1: float
    top5: float
    worst: str

    @property
    def relative(self) -> float | None:
        """Top-1 relative to that of the real font; None where not one real glyph is read."""
        return self.top1 / self.real_top1 if self.real_top1 else None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "relative": self.relative}


class Sets(NamedTuple):
    """The same characters three times."""

    text: str
    source: list[Glyph]
    written: list[Glyph]
    real: list[Glyph]


def judged(reader: Reader, sets: Sets) -> Found:
    """Read and measure one font."""
    real, made = (reader.ranked(glyphs) for glyphs in (sets.real, sets.written))
    scores, overlap = compared(sets.written, sets.real)
    worst = [at for at, value in sorted(enumerate(overlap), key=lambda entry: entry[1])][:WORST]
    return Found(
        characters=len(sets.text),
        written=scores,
        source=compared(sets.source, sets.real)[0],
        real_top1=share(real, sets.text, best=1),
        real_top5=share(real, sets.text, best=5),
        top1=share(made, sets.text, best=1),
        top5=share(made, sets.text, best=5),
        worst="".join(sets.text[at] for at in worst),
    )


def compared(outputs: list[Glyph], targets: list[Glyph]) -> tuple[dict[str, float], list[float]]:
    """The metrics of all glyphs, and the overlap of ink of each."""
    made, real = ([glyph[:, :, None] for glyph in glyphs] for glyphs in (outputs, targets))
    return scored(made, real, metrics=METRICS)


def recogniser(cache: Path) -> bytes:
    """The model out of the package, which pip fetches once."""
    wheels = list(cache.glob("rapidocr-*.whl"))
    if not wheels:
        cache.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), PACKAGE]
        subprocess.run(words, check=True)
        wheels = list(cache.glob("rapidocr-*.whl"))
    with zipfile.ZipFile(wheels[0]) as package:
        return package.read(INSIDE)


def sets_of(writer: Writer, data: FontsSource, font: str, *, count: int) -> Sets:
    """Held-out characters of one font, the first `count` in the order of their digest."""
    if font not in data.names:
        raise I2IError("E_CONDITION", f"there is no font {font} in {data.root}; found: {', '.join(data.names)}")
    face = data.typefaces[data.names.index(font)]
    text = "".join(by_digest("".join(g.character for g in data.glyphs()["test"] if g.font == font))[:count])
    if not text:
        raise I2IError("E_BAD_DATA", f"{font} has none of the held-out characters; see --characters, --test-characters")
    return Sets(text, [writer.face.draw(c) for c in text], writer.glyphs(text, font), [face.draw(c) for c in text])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    add_data_options(parser)
    parser.add_argument("--domains", nargs="*", metavar="NAME", help="(default: all that the model writes)")
    parser.add_argument("--count", type=int, default=200, help="characters of each font (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=Path("runs/rapidocr"), help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values, replacing an older file")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png")
    options = parser.parse_args(argv)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    writer, data = opened(options)
    reader = Reader(recogniser(options.cache))
    found, rows = {}, []
    print("| font | l1 | ssim | ink IoU | of the source | real top-1, top-5 | written | relative | worst |")
    print("|---|---|---|---|---|---|---|---|---|")
    for font in options.domains or writer.styles:
        sets = sets_of(writer, data, font, count=options.count)
        found[font] = judged(reader, sets)
        print(row(font, found[font]), flush=True)
        worst = [sets.text.index(c) for c in found[font].worst]
        rows += [[sets.source[at], sets.written[at], sets.real[at]] for at in worst]
    if options.json:
        results = {font: one.to_dict() for font, one in found.items()}
        publish_text(options.json, json.dumps(results, indent=2, ensure_ascii=False) + "\n", overwrite=True)
    if options.sheet:
        shown = [[glyph[:, :, None] for glyph in glyphs] for glyphs in rows]
        sheet = grid(shown, ("source", "written", "real"))
        publish_bytes(options.sheet, encode(sheet, format="png"), overwrite=True)


def row(font: str, one: Found) -> str:
    """A line of the table."""
    written, source = one.written, one.source
    relative = "-" if one.relative is None else f"{one.relative:.2f}"
    of_source = f"{source['l1']:.3f}, {source['ssim']:.3f}, {source['ink_iou']:.3f}"
    return (
        f"| {font} | {written['l1']:.3f} | {written['ssim']:.3f} | {written['ink_iou']:.3f} | {of_source} "
        f"| {one.real_top1:.2f}, {one.real_top5:.2f} | {one.top1:.2f}, {one.top5:.2f} | {relative} | {one.worst} |"
    )


if __name__ == "__main__":
    sys.exit(main())
