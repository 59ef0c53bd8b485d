"""Whether a TIFF that could not be decoded ends too early.

Asked only after a failure, to name the reason: some writers declare the last strip too long, and such files decode.

Source: TIFF 6.0 section 2; the BigTIFF proposal of 2004 for the variant with offsets of 64 bits.
"""

from __future__ import annotations

import struct

# The letters by which `struct` reads the types 1..18; a rational is read as one number of 8 bytes.
_LETTERS = dict(zip(range(1, 19), "BBHIQbBhiqfdI..QqQ", strict=True))
_OFFSETS_AND_COUNTS = ((273, 279), (324, 325))  # of strips and of tiles


def ends_early(data: bytes) -> bool:
    """Whether the first directory, one of its values or one of its strips or tiles lies beyond the end of `data`."""
    try:
        values = _first_directory(data)
    except (struct.error, OverflowError):
        return True
    pairs = [zip(values.get(a, ()), values.get(b, ()), strict=False) for a, b in _OFFSETS_AND_COUNTS]
    return any(offset + count > len(data) for pair in pairs for offset, count in pair)


def _first_directory(data: bytes) -> dict[int, tuple[float, ...]]:
    """The values of each tag. Raises `struct.error` when a part of it lies outside."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = 43 in data[2:4]
    word, entry, first = ("Q", 20, 8) if is_big else ("I", 12, 4)
    (position,) = struct.unpack_from(order + word, data, first)
    counter = order + ("Q" if is_big else "H")
    (entries,) = struct.unpack_from(counter, data, position)
    position += struct.calcsize(counter)
    values: dict[int, tuple[float, ...]] = {}
    for _ in range(entries):
        tag, kind, count = struct.unpack_from(f"{order}HH{word}", data, position)
        layout = f"{order}{count}{_LETTERS.get(kind, 'B').replace('.', 'B')}"
        inline = position + struct.calcsize(f"{order}HH{word}")
        (outside,) = struct.unpack_from(order + word, data, inline)
        is_inline = struct.calcsize(layout) <= struct.calcsize(word)
        values[tag] = struct.unpack_from(layout, data, inline if is_inline else outside)
        position += entry
    struct.unpack_from(order + word, data, position)  # where the next directory lies
    return values
