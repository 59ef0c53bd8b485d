"""The protobuf wire format, read strictly: enough to look into an .onnx file before any library opens it, and to write
what is changed in one.

Source: "Encoding", Protocol Buffers documentation (https://protobuf.dev/programming-guides/encoding/). Deviation:
groups, which no .onnx writer uses, are refused, and so is everything that two readers might understand differently.
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | memoryview

_FIXED = {1: 8, 5: 4}


class WireError(ValueError):
    """The bytes are not the protobuf message they should be."""


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value) in file order: an int for a varint, else a view of the bytes (no copy)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise WireError(f"field number {number}")
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise WireError(f"wire type {kind}")
        if length > len(message) - at:
            raise WireError("a field runs past the end")
        yield number, message[at : at + length]
        at += length


def integer(value: Value) -> int:
    """The value of a varint field; WireError for any other kind of field."""
    if not isinstance(value, int):
        raise WireError("bytes where a number belongs")
    return value


def nested(value: Value) -> memoryview:
    """The bytes of a length-delimited field; WireError for a number."""
    if isinstance(value, int):
        raise WireError("a number where bytes belong")
    return value


def text(value: Value) -> str:
    """A string field; WireError when it is not UTF-8."""
    try:
        return bytes(nested(value)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError("a string that is not UTF-8") from error


def number(tag: int, value: int) -> bytes:
    """A varint field, written."""
    return _written(tag << 3) + _written(value)


def blob(tag: int, content: bytes) -> bytes:
    """A field of bytes, a string or a message, written."""
    return _written(tag << 3 | 2) + _written(len(content)) + content


def _written(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise WireError("the message ends inside a number")
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
    raise WireError("a number of more than ten bytes")
