"""How steadily mixtures go from one font to another: `python tools/style_path.py MODEL --data DIR --source FILE`.

For every pair of fonts that MODEL writes (or `--pairs "A,B" "C,D"`) held-out characters are written in `--steps`
mixtures, from all of the first to all of the second. A judge that has learnt from the real training glyphs which font a
glyph is of says how likely each is of the second font; a line shows the means over the characters, and the largest fall
from one step to the next: 0 where the way only rises, which is what one would like. `--sheet FILE.png` draws one
character (`--shown`) along every way, `--json FILE` keeps the values. A single way as a strip or an animation is
`i2i convert MODEL --text ... --towards ...`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from command import ended
from font_data import add_data_options, opened

from i2i.data.charsets import by_digest
from i2i.data.writing import Writer, between, check_style
from i2i.errors import I2IError
from i2i.evaluation.fonts import FontJudge, font_judge
from i2i.evaluation.grids import grid
from i2i.evaluation.judge import STEPS
from i2i.files import publish_bytes, publish_text
from i2i.images.codec import encode

Pair = tuple[str, str]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    add_data_options(parser)
    parser.add_argument("--pairs", nargs="+", metavar="A,B", help="(default: all)")
    parser.add_argument("--steps", type=int, default=11, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--count", type=int, default=20, help="characters (default: %(default)s)")
    parser.add_argument("--judge-steps", type=int, default=STEPS, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--shown", metavar="CHARACTER", help="on the sheet (default: the first held-out one)")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="replacing an older file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="replacing an older file")
    options = parser.parse_args(argv)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    if options.steps < 2:
        raise I2IError("E_USAGE", f"a way has at least two --steps, got {options.steps}")
    writer, data = opened(options)
    ways = chosen(writer, options.pairs)
    text = "".join(c for c in by_digest(data.held_out()) if not writer.missing(c))[: options.count]
    judge = font_judge(data, [name for name in writer.styles if name in data.names], steps=options.judge_steps)
    found = {}
    for first, second in ways:
        found[f"{first} -> {second}"] = path = along(writer, judge, text, (first, second), options.steps)
        print(f"{first} -> {second}: {' '.join(f'{value:.2f}' for value in path)}; {said(path)}", flush=True)
    steady = sum(fall(path) == 0 for path in found.values())
    print(f"{steady} of {len(found)} ways only rise; largest fall {max(map(fall, found.values())):.3f}")
    if options.json:
        publish_text(options.json, json.dumps(found, indent=2, ensure_ascii=False) + "\n", overwrite=True)
    if options.sheet:
        publish_bytes(options.sheet, sheet(writer, options.shown or text[0], ways, options.steps), overwrite=True)


def chosen(writer: Writer, pairs: Sequence[str] | None) -> list[Pair]:
    """The pairs that are named, or all. Raises `I2IError`: E_USAGE, E_CONDITION."""
    if pairs is None:
        return list(combinations(writer.styles, 2))
    found = []
    for pair in pairs:
        first, _, second = pair.partition(",")
        if not second:
            raise I2IError("E_USAGE", f"--pairs {pair}; expected two fonts, as in --pairs 'Ma Shan Zheng,Long Cang'")
        for name in (first, second):
            check_style(writer, name)
        found.append((first, second))
    return found


def along(writer: Writer, judge: FontJudge, text: str, pair: Pair, steps: int) -> list[float]:
    """The mean chance of the second font at each step of the way."""
    written = [writer.glyphs(text, mix) for mix in between(*pair, steps)]
    return [float(judge.chances([glyph[:, :, None] for glyph in glyphs], pair[1]).mean()) for glyphs in written]


def fall(path: Sequence[float]) -> float:
    """The largest fall from one step to the next, 0 for none."""
    return max(0.0, float(-np.diff(path).min()))


def said(path: Sequence[float]) -> str:
    """In words, whether a way only rises."""
    return "rises at every step" if fall(path) == 0 else f"falls by up to {fall(path):.3f}"


def sheet(writer: Writer, character: str, ways: Sequence[Pair], steps: int) -> bytes:
    """A PNG with a row for each way."""
    rows = [
        [writer.glyphs(character, mix)[0][:, :, None] for mix in between(first, second, steps)]
        for first, second in ways
    ]
    return encode(grid(rows), format="png")


if __name__ == "__main__":
    sys.exit(main())
