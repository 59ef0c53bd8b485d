"""Which format a file really has, by its first bytes; its name plays no part.

Raises for everything that is not on the allow-list: documents and programs in disguise (EPS, PDF, SVG) never reach a
decoder.
"""

from __future__ import annotations

import re
from typing import Literal

from i2i.errors import I2IError

Format = Literal["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"]

SUFFIXES_OF: dict[Format, tuple[str, ...]] = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "AVIF": (".avif",),
}
SUFFIXES = frozenset(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes)

_HEAD = 4096
_ALLOWED: tuple[tuple[Format, re.Pattern[bytes]], ...] = (
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("WEBP", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("BMP", re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL)),
    ("TIFF", re.compile(rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+")),
    ("PPM", re.compile(rb"P[1-6][ \t\r\n#]")),
    ("AVIF", re.compile(rb"\x00\x00.{2}ftyp(?:avif|avis|mif1.{4}(?:.{4}){0,16}?avif)", re.DOTALL)),
)
_BLOCKED: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("EPS or PostScript", re.compile(rb"\s*%!PS|\xc5\xd0\xd3\xc6|\x04%!")),
    ("PDF", re.compile(rb".{0,1024}?%PDF-", re.DOTALL)),
    ("gzip (perhaps SVGZ)", re.compile(rb"\x1f\x8b")),
    ("Photoshop", re.compile(rb"8BPS")),
    ("icon", re.compile(rb"\x00\x00[\x01\x02]\x00.\x00|icns", re.DOTALL)),
    ("JPEG 2000", re.compile(rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51")),
    ("JPEG XL", re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL ")),
    ("HEIF", re.compile(rb"\x00\x00.{2}ftyp(?:heic|heix|hevc|heim|heis|mif1|msf1)", re.DOTALL)),
    ("OpenEXR", re.compile(rb"\x76\x2f\x31\x01")),
    ("Radiance HDR", re.compile(rb"#\?(?:RADIANCE|RGBE)")),
    ("portable float map", re.compile(rb"P[Ff][ \t\r\n]")),
    ("portable arbitrary map", re.compile(rb"P7[ \t\r\n]")),
    ("DDS", re.compile(rb"DDS ")),
    ("FITS", re.compile(rb"SIMPLE  =")),
    ("Windows metafile", re.compile(rb"\xd7\xcd\xc6\x9a|\x01\x00\x00\x00.{36} EMF", re.DOTALL)),
    ("XCF", re.compile(rb"gimp xcf")),
)
_PREFIXES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"GIF87a",
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"RIFF",
)


def sniff(data: bytes) -> Format:
    """The format of the picture in `data`.

    Raises `I2IError`: E_EMPTY for no bytes, E_TRUNCATED for the mere beginning of a signature, E_FORMAT_BLOCKED for a
    format that is known and not read, E_UNIDENTIFIED for anything else.
    """
    if not data:
        raise I2IError("E_EMPTY", "the file is empty")
    head = data[:_HEAD]
    for name, pattern in _ALLOWED:
        if pattern.match(head):
            return name
    if any(prefix.startswith(data) for prefix in _PREFIXES) or _is_cut_container(data):
        raise I2IError("E_TRUNCATED", f"the file ends after {len(data)} bytes, within the signature of its format")
    for title, pattern in _BLOCKED:
        if pattern.match(head):
            raise _blocked(title)
    if _is_svg(head):
        raise _blocked("SVG")
    raise I2IError("E_UNIDENTIFIED", f"not a picture that can be read; known formats: {', '.join(SUFFIXES_OF)}")


def _blocked(title: str) -> I2IError:
    return I2IError("E_FORMAT_BLOCKED", f"{title} files are not read; convert it to PNG, JPEG or WebP first")


def _is_svg(head: bytes) -> bool:
    """Whether the first element of an XML document is <svg>, after any declaration, comments and document type."""
    rest = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    while rest.startswith((b"<?", b"<!")):
        if rest.startswith(b"<!doctype svg"):
            return True
        end = b"-->" if rest.startswith(b"<!--") else b">"
        rest = rest.partition(end)[2].lstrip()
    return re.match(rb"<(?:svg:)?svg\b", rest) is not None


def _is_cut_container(data: bytes) -> bool:
    return (data[:4] == b"RIFF" and len(data) < 12) or (data[:2] == b"BM" and len(data) < 18)
