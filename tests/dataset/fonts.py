"""Fonts made by hand, so that what is drawn is known: squares on an em of 1000 units."""

from __future__ import annotations

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

FONTS = Path(__file__).parents[1] / "data" / "fonts"
EM = 1000

Box = tuple[int, int, int, int]  # left, bottom, right, top in units


def square_font(path: Path, boxes: dict[str, Box | None], *, family: str = "Squares", advance: int = EM) -> Path:
    """A TrueType font in which each character is one box, or blank where it has None; .notdef is a box of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = {".notdef": (100, 0, 900, 700)} | {f"g{number}": box for number, box in enumerate(boxes.values())}
    font = FontBuilder(EM, isTTF=True)
    font.setupGlyphOrder(list(drawn))
    font.setupCharacterMap({ord(c): f"g{number}" for number, c in enumerate(boxes)})
    font.setupGlyf({name: _glyph(box) for name, box in drawn.items()})
    font.setupHorizontalMetrics({name: (advance, box[0] if box else 0) for name, box in drawn.items()})
    font.setupHorizontalHeader(ascent=1500, descent=-500)
    font.setupNameTable({"familyName": family, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


def _glyph(box: Box | None):
    pen = TTGlyphPen(None)
    if box is not None:
        left, bottom, right, top = box
        pen.moveTo((left, bottom))
        for point in ((left, top), (right, top), (right, bottom)):
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()
