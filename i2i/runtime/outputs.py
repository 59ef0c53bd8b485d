"""How outputs are named: which type a picture is written as, and what its file is called."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.images.signature import SUFFIXES_OF
from i2i.images.signature import Format as Content

Format = Literal["same", "png", "jpg", "webp"]
Written = Literal["png", "jpg", "webp", "tiff", "bmp", "ppm"]

_BY_CONTENT: dict[str, Written] = {
    "PNG": "png",
    "JPEG": "jpg",
    "WEBP": "webp",
    "TIFF": "tiff",
    "BMP": "bmp",
    "PPM": "ppm",
}
_CONTENT: dict[Written, Content] = {
    "png": "PNG",
    "jpg": "JPEG",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "ppm": "PPM",
}
_LOSSY: tuple[Written, ...] = ("jpg", "webp")
_OPAQUE: tuple[Written, ...] = ("jpg", "bmp", "ppm")


def refuse_lossy(written: Format | Written, target: Pixels) -> None:
    """Raise `I2IError` (E_USAGE) when a type that was asked for would spoil what the model gives."""
    if target.colour == "labels" and written in _LOSSY:
        message = f"the model gives label maps, whose colours {written} would change; use png"
        raise I2IError("E_USAGE", message)
    if target.colour == "rgba" and written in _OPAQUE:
        raise I2IError("E_USAGE", f"the model gives transparency, which {written} cannot hold; use png or webp")


def written_as(content: str | None, wanted: Format, target: Pixels) -> Written:
    """The type to write: as asked, or for "same" the type of the input where it can hold the output, else PNG."""
    if wanted != "same":
        return wanted
    written = _BY_CONTENT.get(content or "", "png")
    spoiled = {"labels": _LOSSY, "rgba": _OPAQUE}.get(target.colour, ())
    return "png" if written in spoiled else written


def output_name(name: PurePath, written: Written, *, wanted: Format, keep_extension: bool) -> PurePath:
    """The relative path of the output for the relative path of an input.

    A suffix that already says the type stays as it is ("a.JPEG") unless a type was asked for. With `keep_extension`
    the new suffix is put after the whole old name ("a.jpg.png") where it differs.
    """
    if _says(name, written) and (wanted == "same" or keep_extension):
        return name
    suffix = f".{written}"
    return name.with_name(name.name + suffix) if keep_extension else name.with_suffix(suffix)


def by_suffix(name: PurePath) -> Written | None:
    """The type that a file name asks for, or None."""
    return next((written for written in _CONTENT if _says(name, written)), None)


def _says(name: PurePath, written: Written) -> bool:
    return name.suffix.lower() in SUFFIXES_OF[_CONTENT[written]]
