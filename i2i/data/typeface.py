"""Characters drawn from a font file: TTF, OTF, one of a TTC collection (`NAME.ttc#2`), WOFF2. Needs Pillow alone.

The em box: a square of the font's size, 0.12 of it below the baseline and as wide as the character's advance. These
are the ideographic em box's usual places (OpenType, `BASE` table, baselines `idtp` and `ideo`); what fonts say of their
ascent is made for the distance of lines and differs wildly.

Characters are drawn larger and reduced: at small sizes FreeType moves stems to whole pixels, which bends thin strokes
and is not the same for a character and for a .notdef of the same outline.
"""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from i2i.errors import I2IError, missing_package
from i2i.images.card import Placing

Glyph = npt.NDArray[np.uint8]
Lack = Literal["absent", "blank"]
Box = tuple[int, int, int, int]  # left, top, right, bottom

PAPER = 255
MOST_FINE = 4  # how many times larger it is drawn, where that does not exceed
LARGEST = 512  # pixels
LOOKED_AT = 64.0  # pixels of the em, to see what a font lacks
EM_MIDDLE = 0.38  # of the em box above the baseline
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc", ".woff2", ".woff")
# No character, and in no font's list: a font draws its .notdef for it.
NO_CHARACTER = "\U0010ffff"


class Ink(NamedTuple):
    """Where a character has ink, from its origin: a picture cut to it (none for no ink), and its box."""

    picture: Image.Image | None
    box: Box


class Typeface:
    """One font, and characters drawn with it on white: uint8 (`size`, `size`), ink is 0.

    `file` is a path, with `#2` behind it for the third font of a collection; it is opened once in a process. `placing`
    says how large a character is and where it stands. Raises `I2IError`: E_UNREADABLE, E_UNIDENTIFIED for a file that
    is no font, E_MISSING_PACKAGE for one that Pillow cannot open and fontTools would.
    """

    def __init__(self, file: str | Path, *, size: int, placing: Placing) -> None:
        self.path, self.index = located(file)
        self.size = size
        self.placing = placing
        self._fine = max(1, min(MOST_FINE, LARGEST // size))
        self._pixels = placing.character_share * size * self._fine
        self._font = _opened(self.path, self.index, self._pixels, _stamp(self.path))
        self._small = _opened(self.path, self.index, LOOKED_AT, _stamp(self.path))
        self._absent = _ink(self._small, NO_CHARACTER)
        self._seen: dict[str, tuple[Lack | None, Box]] = {}

    @property
    def name(self) -> str:
        """Family and style, as designers know it; `Regular` is left out."""
        family, style = self._font.getname()
        words = [family or self.path.stem, *([] if style in (None, "", "Regular") else [style])]
        return " ".join(word for word in words if word)

    def lacks(self, character: str) -> Lack | None:
        """Why a character cannot be drawn: it is `absent` (what is drawn is .notdef, as for those that are not in the
        font's list) or `blank` (no ink); None where it can. What a font says it has is not asked: fonts lie.
        """
        return self._look(character)[0]

    def draw(self, character: str) -> Glyph:
        """One character; ink beyond the border is cut off."""
        side = self.size * self._fine
        picture = Image.new("L", (side, side))
        ImageDraw.Draw(picture).text(self._origin(character), character, font=self._font, fill=255, anchor="ls")
        return PAPER - np.asarray(picture.reduce(self._fine))

    def fits(self, character: str) -> bool:
        """Whether all its ink lies on the picture, but for a sixty-fourth of the em."""
        x, y = self._origin(character)
        spare = self._pixels / LOOKED_AT
        left, top, right, bottom = (side * spare for side in self._look(character)[1])
        end = self.size * self._fine + spare
        return min(x + left, y + top) >= -spare and max(x + right, y + bottom) <= end

    def _origin(self, character: str) -> tuple[int, int]:
        """Where on the fine picture the character's origin stands: on the baseline, where its advance begins."""
        side = self.size * self._fine
        if self.placing.centring == "ink":
            left, top, right, bottom = _ink(self._font, character).box
            x, y = (side - left - right) / 2, (side - top - bottom) / 2
        else:
            x = (side - self._font.getlength(character)) / 2
            y = side / 2 + EM_MIDDLE * self._pixels
        right_of, below = self.placing.offset
        return round(x + right_of * side), round(y + below * side)

    def _look(self, character: str) -> tuple[Lack | None, Box]:
        """What a character lacks, and its ink's box, at a size that does not depend on the picture's: rendered once,
        since thousands of them take a while.
        """
        if character not in self._seen:
            ink = _ink(self._small, character)
            lack: Lack | None = "blank" if ink.picture is None else "absent" if _alike(ink, self._absent) else None
            self._seen[character] = lack, ink.box
        return self._seen[character]


def typeface(file: str | Path, *, size: int, placing: Placing) -> Typeface:
    """A `Typeface` that all who ask for the same one share, with what it has found out about its characters."""
    return _shared(str(file), size, placing, _stamp(located(file)[0]))


@functools.lru_cache(maxsize=64)
def _shared(file: str, size: int, placing: Placing, stamp: tuple[int, int]) -> Typeface:
    return Typeface(file, size=size, placing=placing)


def located(file: str | Path) -> tuple[Path, int]:
    """Path and number of a font; `NAME.ttc#2` is the third one of a collection."""
    numbered = re.fullmatch(r"(.+)#(\d+)", str(file))
    if numbered is None or Path(file).exists():
        return Path(file), 0
    return Path(numbered[1]), int(numbered[2])


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file does, so that a font that was replaced is opened again."""
    try:
        status = path.stat()
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"the font cannot be read ({error.strerror})", path=path) from None
    return status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=64)
def _opened(path: Path, index: int, pixels: float, stamp: tuple[int, int]) -> ImageFont.FreeTypeFont:
    """The font in a size. Opening a compressed one takes long: kept by path, number, size and `stamp`."""
    data = path.read_bytes()
    try:
        return _font(data, pixels, index)
    except OSError:
        if data[:4] not in (b"wOF2", b"wOFF"):
            which = f"has no font number {index}" if index else "is not a font that can be opened"
            raise I2IError("E_UNIDENTIFIED", f"{which}; TTF, OTF, TTC and WOFF2 can be", path=path) from None
    return _font(_unpacked(data, path), pixels, index)


def _font(data: bytes, pixels: float, index: int) -> ImageFont.FreeTypeFont:
    # The basic layout: the other one is not in every Pillow, and single characters need none.
    return ImageFont.truetype(io.BytesIO(data), pixels, index=index, layout_engine=ImageFont.Layout.BASIC)


def _unpacked(data: bytes, path: Path) -> bytes:
    """A WOFF2 font as a plain one, for a Pillow that was built without Brotli."""
    try:
        from fontTools.ttLib import TTFont
    except ModuleNotFoundError:
        raise missing_package("fontTools", "fonts") from None
    try:
        font, plain = TTFont(io.BytesIO(data)), io.BytesIO()
        font.flavor = None
        font.save(plain)
    except ImportError as error:
        raise missing_package(error.name or "brotli", "fonts") from None
    except Exception as error:  # noqa: BLE001  # a broken file raises what fontTools or Brotli happens to stumble over
        raise I2IError("E_UNIDENTIFIED", f"is not a font that can be opened ({error})", path=path) from None
    return plain.getvalue()


def _ink(font: ImageFont.FreeTypeFont, character: str) -> Ink:
    mask, (x, y) = font.getmask2(character, mode="L", anchor="ls")
    box = mask.getbbox()
    if box is None:
        return Ink(None, (0, 0, 0, 0))
    picture = Image.frombytes("L", mask.size, bytes(mask)).crop(box)
    return Ink(picture, (x + box[0], y + box[1], x + box[2], y + box[3]))


def _alike(one: Ink, other: Ink) -> bool:
    """Whether two characters have ink at the same places, to within a pixel."""
    if one.picture is None or other.picture is None:
        return one.picture is other.picture
    if one.box == other.box and one.picture.tobytes() == other.picture.tobytes():
        return True
    if max(abs(a - b) for a, b in zip(one.box, other.box, strict=True)) > 1:
        return False
    left, top = min(one.box[0], other.box[0]) - 1, min(one.box[1], other.box[1]) - 1
    size = max(one.box[2], other.box[2]) - left + 1, max(one.box[3], other.box[3]) - top + 1
    sheets = [Image.new("1", size) for _ in range(2)]
    for sheet, picture, box in zip(sheets, (one.picture, other.picture), (one.box, other.box), strict=True):
        sheet.paste(picture.point(lambda value: 255 * (value >= 128)), (box[0] - left, box[1] - top))
    a, b = (np.asarray(sheet) for sheet in sheets)
    near_a, near_b = (np.asarray(sheet.convert("L").filter(ImageFilter.MaxFilter(3))) > 0 for sheet in sheets)
    return not (a & ~near_b).any() and not (b & ~near_a).any()
