"""Picture files made byte by byte from their specifications, independent of any image library."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rows: list[bytes], *, width: int, depth: int, colour: int, chunks: bytes = b"") -> bytes:
    """A PNG whose rows are given as packed samples; `colour` is PNG's colour type (0 grey, 2 RGB, 3 palette, 4, 6)."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    ends = chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + ends


def png_16(array: np.ndarray, *, chunks: bytes = b"") -> bytes:
    """A 16-bit PNG of an array [H,W,C], C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    height, width, channels = array.shape
    rows = [array[y].astype(">u2").tobytes() for y in range(height)]
    return png(rows, width=width, depth=16, colour={1: 0, 2: 4, 3: 2, 4: 6}[channels], chunks=chunks)


def gif(width: int, height: int, frames: list[tuple[int, int]]) -> bytes:
    """An animated GIF with a black and white palette; each frame is (columns, rows) with a stub of LZW data."""
    picture = b"\x02\x02\x44\x01\x00"  # minimum code size 2; one block: clear, 0, end
    start = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    parts = [b"\x2c" + struct.pack("<HHHHB", 0, 0, *size, 0) + picture for size in frames]
    return start + b"".join(parts) + b"\x3b"


def tiff(entries: dict[int, tuple[int, int, int]], data: bytes) -> bytes:
    """A little-endian TIFF: {tag: (type, count, value)}, `data` at offset 8, the directory after it."""
    offset = 8 + len(data) + len(data) % 2
    directory = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return (
        b"II*\0" + struct.pack("<I", offset) + data.ljust(offset - 8, b"\0")
        + struct.pack("<H", len(entries)) + directory + struct.pack("<I", 0)
    )  # fmt: skip


def black_ink_profile() -> bytes:
    """An ICC profile (version 2) of a press on which only the black ink shows: K = 0 is white, K = 255 is black."""
    table = b"mft1" + b"\0" * 4 + bytes([4, 3, 2, 0])
    table += struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table += bytes(range(256)) * 4 + bytes([255, 128, 128, 0, 128, 128]) * 8 + bytes(range(256)) * 3
    text = b"text" + b"\0" * 4 + b"none\0"
    describe = b"desc" + b"\0" * 4 + struct.pack(">I", 5) + b"test\0" + b"\0" * 78
    white = b"XYZ " + b"\0" * 4 + struct.pack(">3i", 63190, 65536, 54061)
    tags, body = b"", b""
    parts = {b"A2B0": table, b"cprt": text, b"desc": describe, b"wtpt": white}
    for name, part in parts.items():
        tags += struct.pack(">4sII", name, 132 + 12 * len(parts) + len(body), len(part))
        body += part + b"\0" * (-len(part) % 4)
    body = struct.pack(">I", len(parts)) + tags + body
    illuminant = struct.pack(">3i", 63190, 65536, 54061)
    header = struct.pack(">I4sI4s4s4s", 128 + len(body), b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + illuminant
    return header.ljust(128, b"\0") + body
