"""Cut a font to some characters: `python tools/cut_font.py FONT OUT.otf [--charset gb2312-1 gb2312-2]`.

A model of fonts writes from its source font, so that font has to lie beside it; whole CJK fonts are large. FONT is a
TTF, OTF, WOFF2 or one of a collection (`NAME.ttc#2`); OUT.otf (or .ttf, .woff2) has the characters of the sets, files
or texts that are named, and the space. Outlines, hints, metrics, names and the licence in them stay, the OpenType
layout does not: the characters are drawn as before, which is checked at 64 px. Look at the licence of the font: the SIL
OFL allows this, but a Reserved Font Name has to be changed.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from command import ended
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from i2i.data.charsets import characters
from i2i.data.typeface import Typeface, located
from i2i.errors import I2IError
from i2i.files import publish_bytes
from i2i.images.card import Placing

CHECKED = 64  # pixels


def cut(font: str, text: str, *, flavour: str | None = None) -> bytes:
    """The font with the characters of a text that it has, and the space; the same input gives the same bytes."""
    path, index = located(font)
    opened = TTFont(path, fontNumber=index, recalcTimestamp=False)
    options = Options(layout_features=[], name_IDs=["*"], notdef_outline=True, hinting=True, desubroutinize=False)
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "DSIG"]
    cutter = Subsetter(options)
    cutter.populate(text=f"{text} ")
    cutter.subset(opened)
    opened.flavor = flavour
    file = io.BytesIO()
    opened.save(file)
    return file.getvalue()


def differing(one: str | Path, other: str | Path, text: str) -> str:
    """The characters that two fonts draw differently, to the bit, or that one of them lacks."""
    first, second = (Typeface(file, size=CHECKED, placing=Placing()) for file in (one, other))
    lacking = {c for c in text if first.lacks(c) != second.lacks(c)}
    return "".join(c for c in text if c in lacking or not np.array_equal(first.draw(c), second.draw(c)))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("font", metavar="FONT")
    parser.add_argument("out", type=Path, metavar="OUT.otf")
    parser.add_argument("--charset", nargs="+", default=["gb2312-1", "gb2312-2"], help="(default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args(argv)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    text = "".join(dict.fromkeys(c for which in options.charset for c in characters(which)))
    data = cut(options.font, text, flavour="woff2" if options.out.suffix.lower() == ".woff2" else None)
    publish_bytes(options.out, data, overwrite=options.overwrite)
    changed = differing(options.font, options.out, text)
    if changed:
        raise I2IError(
            "E_BAD_DATA", f"{len(changed)} characters are drawn differently: {changed[:20]}", path=options.out
        )
    print(f"{len(text)} characters, {len(data) / 1e6:.1f} MB, drawn as before -> {options.out}")


if __name__ == "__main__":
    sys.exit(main())
