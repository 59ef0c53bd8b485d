"""A font file written by a zi2zi model: `python tools/make_font.py MODEL OUT.ttf --domain "Ma Shan Zheng" --font FILE`.

MODEL is a run folder, a model folder, an .onnx file or a name under pretrained/. `--font` is the source font, whose
characters are translated and whose metrics are taken over; `--charset` says which characters (gb2312-1, a file, or the
characters themselves). Those that the source font lacks are left out and counted. `--mix NAME=WEIGHT` may be given
several times in place of --domain. Outlines follow the pictures: the larger the model's size the finer the font.

`--check` opens the file with fontTools and Pillow, looks for every character, draws them at the model's size and prints
the overlap of their ink with the pictures' (intersection over union, darker than half).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from command import ended
from fontTools.ttLib import TTFont

from i2i import loading
from i2i.data.charsets import characters
from i2i.data.font_file import Metrics, font_file
from i2i.data.outlines import INK
from i2i.data.typeface import Glyph, Typeface
from i2i.data.writing import Style, Writer, drawing_of
from i2i.errors import I2IError
from i2i.files import publish_bytes


def main(argv: list[str] | None = None) -> int:
    options = parsed(argv)
    return ended(lambda: run(options))


def parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("out", type=Path, metavar="OUT.ttf")
    style = parser.add_mutually_exclusive_group(required=True)
    style.add_argument("--domain", metavar="NAME")
    style.add_argument("--mix", metavar="NAME=WEIGHT", action="append", default=[])
    parser.add_argument("--font", required=True, metavar="FILE")
    parser.add_argument("--charset", default="gb2312-1", help="(default: %(default)s)")
    parser.add_argument("--family", help="the new font's name (default: the domain's and the model's)")
    parser.add_argument("--check", action="store_true", help="read the file back and compare it with the pictures")
    parser.add_argument("--overwrite", action="store_true")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> None:
    if options.out.exists() and not options.overwrite:
        raise I2IError("E_EXISTS", "is there already; use --overwrite, or choose another name", path=options.out)
    translator = loading.open_model(loading.resolve(options.model))
    writer = Writer(translator, options.font)
    style = options.domain or mixture(options.mix)
    wanted = characters(options.charset)
    lacking = writer.missing(wanted)
    text = "".join(c for c in wanted if c not in lacking)
    pictures = dict(zip(text, writer.glyphs(text, style), strict=True))
    family = options.family or f"{options.domain or 'Mixture'} by {translator.card.name}"
    metrics = Metrics.of(options.font, text)
    data = font_file(pictures, family=family, metrics=metrics, placing=drawing_of(translator))
    publish_bytes(options.out, data, overwrite=options.overwrite)
    left_out = f"; {len(lacking)} that the source font lacks are left out" if lacking else ""
    print(f"{family}: {len(text)} characters, {len(data) / 1e6:.1f} MB -> {options.out}{left_out}")
    if options.check:
        print(checked(options.out, pictures, Typeface(options.out, size=writer.face.size, placing=writer.face.placing)))


def checked(file: Path, pictures: Mapping[str, Glyph], face: Typeface) -> str:
    """In words, what the file gives back of the pictures. Raises `I2IError` (E_BAD_DATA) for a character that is not
    there.
    """
    with TTFont(file) as font:
        missing = "".join(c for c in pictures if ord(c) not in font.getBestCmap())
    if missing:
        raise I2IError("E_BAD_DATA", f"the font lacks {missing}", path=file)
    overlaps = {c: overlap(face.draw(c), picture) for c, picture in pictures.items()}
    least = min(overlaps, key=lambda c: overlaps[c])
    return (
        f"fontTools and Pillow open it; all {len(pictures)} characters are there; overlap of ink with the pictures "
        f"at {face.size} px: {fmean(overlaps.values()):.3f}, least {overlaps[least]:.3f} ({least})"
    )


def overlap(one: Glyph, other: Glyph) -> float:
    """Intersection over union of what is darker than half; 1 for two blank pictures."""
    a, b = one < INK, other < INK
    return float((a & b).sum() / (a | b).sum()) if (a | b).any() else 1.0


def mixture(words: list[str]) -> Style:
    """The weights of `NAME=WEIGHT` words. Raises `I2IError` (E_USAGE)."""
    weights = {}
    for word in words:
        name, _, value = word.rpartition("=")
        try:
            weights[name] = float(value)
        except ValueError:
            raise I2IError("E_USAGE", f"--mix {word}; expected NAME=WEIGHT, as in --mix 'Long Cang=0.5'") from None
    return weights


if __name__ == "__main__":
    sys.exit(main())
