"""A font file from pictures of its glyphs: outlines traced, metrics those of the source's font."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from i2i.data.outlines import traced
from i2i.data.typeface import EM_MIDDLE, located
from i2i.errors import I2IError, missing_package
from i2i.images.card import Placing

Glyph = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What is taken over from a font: units to the em, lines, and the advance of characters and of the space."""

    units: int
    ascent: int
    descent: int
    advances: dict[str, int]
    space: int

    @classmethod
    def of(cls, font: str | Path, characters: str) -> Metrics:
        """Those of a font file (`NAME.ttc#2` is the third of a collection). Raises `I2IError`: E_MISSING_PACKAGE,
        E_UNIDENTIFIED.
        """
        opened = _opened(font)
        names, widths, units = opened.getBestCmap() or {}, opened["hmtx"], int(opened["head"].unitsPerEm)
        known = {c: int(widths[names[ord(c)]][0]) for c in (*characters, " ") if ord(c) in names}
        lines = opened["hhea"]
        return cls(
            units=units,
            ascent=int(lines.ascent),
            descent=int(lines.descent),
            advances={c: known.get(c, units) for c in characters},
            space=known.get(" ", units // 2),
        )


def font_file(pictures: Mapping[str, Glyph], *, family: str, metrics: Metrics, placing: Placing) -> bytes:
    """A TrueType font of the characters' pictures (H, W), ink dark, which were drawn as `placing` says.

    The outlines are polygons at the places where the em box stood in the pictures; with `centring: ink` the box is
    taken to be in the middle all the same. A character without ink is blank. Raises `I2IError` (E_BAD_DATA) for no
    characters.
    """
    if not pictures:
        raise I2IError("E_BAD_DATA", "a font needs at least one character")
    from fontTools.fontBuilder import FontBuilder

    names = {c: f"uni{ord(c):04X}" if ord(c) < 0x10000 else f"u{ord(c):X}" for c in pictures}
    outlines: dict[str, Any] = {".notdef": _glyph([]), "space": _glyph([])}
    advances = {".notdef": metrics.units, "space": metrics.space}
    for character, picture in pictures.items():
        advance = metrics.advances[character]
        outlines[names[character]] = _glyph(_placed(picture, advance, metrics.units, placing))
        advances[names[character]] = advance
    builder = FontBuilder(metrics.units, isTTF=True)
    builder.setupGlyphOrder(list(outlines))
    builder.setupCharacterMap({ord(" "): "space"} | {ord(c): name for c, name in names.items()})
    builder.setupGlyf(outlines)
    glyphs = builder.font["glyf"]
    builder.setupHorizontalMetrics({name: (advance, _left(glyphs[name])) for name, advance in advances.items()})
    builder.setupHorizontalHeader(ascent=metrics.ascent, descent=metrics.descent)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "fullName": family, "psName": _plain(family)})
    builder.setupOS2(
        sTypoAscender=metrics.ascent,
        sTypoDescender=metrics.descent,
        usWinAscent=max(metrics.ascent, 0),
        usWinDescent=max(-metrics.descent, 0),
    )
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0  # the same glyphs give the same file
    builder.font.recalcTimestamp = False
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _placed(picture: Glyph, advance: int, units: int, placing: Placing) -> list[npt.NDArray[np.int64]]:
    """The outlines in units from the character's origin, right and up."""
    side = picture.shape[0]
    scale = units / (placing.character_share * side)
    left = side / 2 + placing.offset[0] * side - advance / scale / 2
    baseline = side / 2 + placing.offset[1] * side + EM_MIDDLE * placing.character_share * side
    origin, turned = np.array([left, baseline]), np.array([scale, -scale])
    return [np.round((contour - origin) * turned).astype(np.int64) for contour in traced(picture)]


def _glyph(contours: list[npt.NDArray[np.int64]]) -> Any:
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for contour in contours:
        first, *rest = [(int(x), int(y)) for x, y in contour]
        pen.moveTo(first)
        for point in rest:
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()


def _left(glyph: Any) -> int:
    """The left side bearing; a glyph without outlines has none."""
    return int(getattr(glyph, "xMin", 0))


def _plain(family: str) -> str:
    """A name that PostScript takes."""
    kept = "".join(c for c in family if c.isascii() and c.isalnum())
    return f"{kept or 'Font'}-Regular"


def _opened(font: str | Path) -> Any:
    try:
        from fontTools.ttLib import TTFont
    except ModuleNotFoundError:
        raise missing_package("fontTools", "fonts") from None
    path, index = located(font)
    try:
        return TTFont(path, fontNumber=index, lazy=True)
    except ImportError as error:
        raise missing_package(error.name or "brotli", "fonts") from None
    except Exception as error:  # noqa: BLE001  # a broken file raises what fontTools happens to stumble over
        raise I2IError("E_UNIDENTIFIED", f"is not a font that can be opened ({error})", path=path) from None
