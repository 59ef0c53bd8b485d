"""What a file's structure says before any pixel is decoded: size, true bit depth, frames, and whether it is all there.

Decoders are lenient: they show a PNG without its end, give 16-bit colour as 8-bit without a word and stop at a missing
tail. The walks below read only the containers' own lengths, so they cost milliseconds and no memory.

Sources: PNG (Third Edition) sections 5 and 11; JPEG ITU-T T.81 annex B; GIF89a; WebP (RFC 9649);
ISO/IEC 14496-12 section 4.2 (the boxes of AVIF).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from i2i.errors import I2IError
from i2i.images.signature import Format


@dataclass(frozen=True)
class Header:
    """Facts of a file whose structure is complete.

    `depth`: bits per sample, 8 where the format has no other. `frames`: number of pictures where the walk counts them.
    `transparent`: the one sample value (grey) or colour (RGB) that a PNG declares transparent, in raw samples.
    """

    depth: int = 8
    frames: int = 1
    transparent: tuple[int, ...] | None = None


def inspect(data: bytes, *, format: Format, max_pixels: int) -> Header:  # noqa: A002  (the field's own word)
    """Walk through the container of `data`.

    Raises `I2IError`: E_TOO_MANY_PIXELS as soon as a frame declares too many, E_TRUNCATED when the file ends before
    its format says so, E_CORRUPT for a broken structure or checksum, E_UNSUPPORTED_MODE for JPEG of other than 8 bits.
    """
    walk = _WALKS.get(format)
    try:
        return walk(data, max_pixels) if walk else Header()
    except struct.error as error:
        raise truncated(data) from error


def check_size(width: int, height: int, *, max_pixels: int) -> None:
    """Refuse a picture without pixels (E_CORRUPT) or with more than `max_pixels` (E_TOO_MANY_PIXELS)."""
    if width <= 0 or height <= 0:
        raise I2IError("E_CORRUPT", f"declares a size of {width} x {height}")
    if width * height > max_pixels:
        message = (
            f"{width} x {height} is more than the limit of {max_pixels} pixels; make it smaller or raise the limit"
        )
        raise I2IError("E_TOO_MANY_PIXELS", message)


def truncated(data: bytes) -> I2IError:
    """The error for a file that ends too early."""
    return I2IError("E_TRUNCATED", f"the file ends too early, after {len(data)} bytes; copy or download it again")


def _png(data: bytes, max_pixels: int) -> Header:
    depth, colour, position, transparent = 8, 0, 8, None
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        start, end = position + 8, position + 8 + length
        if not kind.isalpha():
            raise I2IError("E_CORRUPT", f"no PNG chunk where one is expected (byte {position})")
        if (position == 8) != (kind == b"IHDR"):
            raise I2IError("E_CORRUPT", "a PNG starts with exactly one IHDR chunk")
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", data, start)
            check_size(width, height, max_pixels=max_pixels)
        (checksum,) = struct.unpack_from(">I", data, end)
        is_critical = kind[:1].isupper()
        if is_critical and zlib.crc32(memoryview(data)[position + 4 : end]) != checksum:
            raise I2IError("E_CORRUPT", f"the checksum of the {kind.decode()} chunk at byte {position} is wrong")
        if kind == b"tRNS" and colour in {0, 2}:
            transparent = struct.unpack_from(">H" if colour == 0 else ">HHH", data, start)
        if kind == b"IEND":
            return Header(depth=depth, transparent=transparent)
        position = end + 4


_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_END_OF_IMAGE = 0xD9


def _jpeg(data: bytes, max_pixels: int) -> Header:
    # Inside a scan 0xFF is followed by 0 or a restart marker, so looking for the next other marker steps over it.
    position, depth = 2, 8
    while True:
        match = _MARKER.search(data, position)
        if match is None:
            raise truncated(data)
        marker, position = match[1][0], match.end()
        if marker == _END_OF_IMAGE:
            return Header(depth=depth)
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _START_OF_FRAME:
            depth, height, width = struct.unpack_from(">BHH", data, position + 2)
            if depth != 8:
                raise I2IError(
                    "E_UNSUPPORTED_MODE", f"JPEG with {depth} bits per sample; save it with 8 bits or as PNG"
                )
            if height:  # 0 means that a later segment tells
                check_size(width, height, max_pixels=max_pixels)
        position += max(length, 2)


def _gif(data: bytes, max_pixels: int) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(max(width, 1), max(height, 1), max_pixels=max_pixels)
    position, frames = 13 + _colour_table(flags), 0
    while True:
        (kind,) = struct.unpack_from("<B", data, position)
        position += 1
        if kind == 0x3B:
            if not frames:
                raise I2IError("E_CORRUPT", "a GIF without a picture")
            return Header(frames=frames)
        if kind == 0x2C:
            x, y, columns, rows, flags = struct.unpack_from("<HHHHB", data, position)
            check_size(max(width, x + columns), max(height, y + rows), max_pixels=max_pixels)
            position, frames = _after_blocks(data, position + 10 + _colour_table(flags)), frames + 1
        elif kind == 0x21:
            position = _after_blocks(data, position + 1)


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    while True:
        (length,) = struct.unpack_from("<B", data, position)
        position += 1 + length
        if not length:
            return position


def _webp(data: bytes, max_pixels: int) -> Header:
    # Checked here, because the decoder takes memory for the canvas when it is opened.
    (size,) = struct.unpack_from("<I", data, 4)
    (kind,) = struct.unpack_from("4s", data, 12)
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[start : start + 3], "little") for start in (24, 27))
    elif kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    check_size(width, height, max_pixels=max_pixels)
    if size + 8 > len(data):
        raise truncated(data)
    return Header()


def _avif(data: bytes, max_pixels: int) -> Header:
    position = 0
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, position + 8)
        if size == 0 and kind != b"\x00\x00\x00\x00":  # up to the end of the file
            break
        if size < 8:
            raise I2IError("E_CORRUPT", f"no AVIF box where one is expected (byte {position})")
        position += size
    if position > len(data):
        raise truncated(data)
    return Header()


_WALKS: dict[Format, Callable[[bytes, int], Header]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "GIF": _gif,
    "WEBP": _webp,
    "AVIF": _avif,
}
