"""Picture files to uint8 arrays and back: the one place where depth, palette, alpha, CMYK and orientation are decided.

Alpha policy. For models on grey or RGB the colour is laid over white and alpha is kept apart, so that the output can
carry it again. Models on RGBA see alpha as the fourth channel, the colour unblended. Label maps are read without
blending, so that the palette's colours arrive exactly.

Pillow decides what is valid; no other library takes part, so a file's fate never depends on an optional package. Not
promised: finding flipped bits inside the compressed data of a JPEG.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import re
import stat
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.errors import I2IError
from i2i.images.card import Colour
from i2i.images.encode import FORMATS, encode, to_pil
from i2i.images.header import Header, check_size, inspect, truncated
from i2i.images.listing import list_images
from i2i.images.modes import Pixels8, Planes, scale_16, split
from i2i.images.signature import SUFFIXES, SUFFIXES_OF, Format, sniff
from i2i.images.tiff import ends_early

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Facts",
    "Limits",
    "Picture",
    "check",
    "encode",
    "from_array",
    "from_pil",
    "list_images",
    "read",
    "to_pil",
]

Source = Path | str | bytes | BinaryIO

_OPENERS: dict[Format, str] = {
    "PNG": "PngImagePlugin:PngImageFile",
    "JPEG": "JpegImagePlugin:JpegImageFile",
    "WEBP": "WebPImagePlugin:WebPImageFile",
    "GIF": "GifImagePlugin:GifImageFile",
    "BMP": "BmpImagePlugin:BmpImageFile",
    "TIFF": "TiffImagePlugin:TiffImageFile",
    "PPM": "PpmImagePlugin:PpmImageFile",
    "AVIF": "AvifImagePlugin:AvifImageFile",
}

# Everything that Pillow's decoders are known to raise for bad data.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    struct.error,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # only where the program runs with warnings as errors
)
_ENDS_EARLY = re.compile(r"truncat|reached eof|unexpected end|premature|incomplete|not enough|no more data", re.I)
_NOT_KNOWN = re.compile(r"unsupported|not supported|unknown pixel mode|unknown (raw|photometric)|cannot handle", re.I)

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Limits:
    """What a file may cost: its bytes, and the pixels that it declares, checked before any memory is taken for them."""

    max_bytes: int = 2**30
    max_pixels: int = 200_000_000


@dataclass(frozen=True)
class Picture:
    """A picture, upright.

    `pixels`: uint8 [H,W,C], red first. `alpha`: uint8 [H,W] where the picture has one and C does not hold it.
    `format`: by content ("PNG", "JPEG", ...), empty for pictures that never were a file. `warnings`: for the user.
    """

    pixels: Pixels8
    alpha: Pixels8 | None
    format: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What a scan needs to know of a good file: format by content, upright size, and the reader's warnings."""

    format: str
    width: int
    height: int
    has_alpha: bool
    warnings: tuple[str, ...]


def read(source: Source, *, colour: Colour = "rgb", limits: Limits | None = None) -> Picture:
    """Decode the first frame of a file, of its bytes or of an open binary file.

    Raises `I2IError`: E_UNREADABLE, E_NOT_REGULAR, E_TOO_MANY_BYTES, E_EMPTY, E_UNIDENTIFIED, E_FORMAT_BLOCKED,
    E_TOO_MANY_PIXELS, E_TRUNCATED, E_CORRUPT, E_UNSUPPORTED_MODE, E_OOM. Nothing else is raised for a bad file.
    """
    limits = limits or Limits()
    path = Path(source) if isinstance(source, str | Path) else None
    try:
        data = _bytes_of(source, limits.max_bytes)
        form = sniff(data)
        header = inspect(data, format=form, max_pixels=limits.max_pixels)
        planes = _decode(data, form, header, limits)
        named = _name_note(path, form)
        return _picture(replace(planes, notes=named + planes.notes), colour=colour, format_name=form)
    except I2IError as error:
        raise I2IError(error.code, error.message, path=path) from error.__cause__
    except MemoryError as error:
        raise I2IError("E_OOM", "not enough memory to decode it", path=path) from error


def check(source: Source, *, limits: Limits | None = None) -> Facts:
    """Find out whether `read` takes the file, for scans: decodes it and keeps the facts. Raises what `read` raises."""
    picture = read(source, colour="labels", limits=limits)
    height, width, _ = picture.pixels.shape
    return Facts(picture.format, width, height, picture.alpha is not None, picture.warnings)


def from_pil(image: Image.Image, *, colour: Colour = "rgb") -> Picture:
    """The picture that a Pillow image shows, upright if it carries an orientation; any mode. Raises as `read` does."""
    try:
        planes = split(image, header=Header())
        upright, notes = _turn_upright(planes, image)
    except MemoryError as error:
        raise I2IError("E_OOM", "not enough memory to decode it") from error
    except _DECODER_ERRORS as error:
        raise _decoder_failure(error) from error
    return _picture(replace(upright, notes=upright.notes + notes), colour=colour, format_name=image.format or "")


def from_array(array: npt.NDArray[np.generic], *, colour: Colour = "rgb") -> Picture:
    """The picture in an array [H,W] or [H,W,C] of C = 1, 2, 3 or 4 (2 and 4: with alpha), uint8 or uint16 (scaled).

    Raises `I2IError` E_UNSUPPORTED_MODE for any other shape or type; what a float array's range means cannot be known.
    """
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        message = f"an array of {array.dtype} is not a picture; expected uint8 (0..255) or uint16 (0..65535)"
        raise I2IError("E_UNSUPPORTED_MODE", f"{message}; for floats in 0..1: (array * 255).round().astype('uint8')")
    if array.ndim not in {2, 3} or 0 in array.shape or (array.ndim == 3 and array.shape[2] > 4):
        message = f"an array of shape {array.shape} is not a picture; expected [H,W] or [H,W,C] with C from 1 to 4"
        raise I2IError("E_UNSUPPORTED_MODE", message)
    pixels = scale_16(array.astype(np.uint16)) if array.dtype.itemsize == 2 else array.astype(np.uint8, copy=False)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return _picture(
        split(Image.fromarray(np.ascontiguousarray(pixels)), header=Header()), colour=colour, format_name=""
    )


def _bytes_of(source: Source, max_bytes: int) -> bytes:
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, str | Path):
        data = _read_regular(Path(source), max_bytes)
    else:
        data = source.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise I2IError("E_TOO_MANY_BYTES", f"larger than the limit of {max_bytes} bytes")
    return data


def _read_regular(path: Path, max_bytes: int) -> bytes:
    """The file's bytes, at most one more than `max_bytes`; a pipe or a device is refused without waiting for it."""
    try:
        _require_regular(path.stat().st_mode)
        # Between the two looks the name may have changed hands, so opening must not wait either.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(handle)
            _require_regular(facts.st_mode)
            if facts.st_size > max_bytes:
                raise I2IError("E_TOO_MANY_BYTES", f"{facts.st_size} bytes are more than the limit of {max_bytes}")
            return file.read(max_bytes + 1)
    except OSError as error:
        code = "E_NOT_REGULAR" if error.errno == errno.ENXIO else "E_UNREADABLE"
        raise I2IError(code, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise I2IError("E_UNREADABLE", f"cannot be read: {error}") from error


def _require_regular(mode: int) -> None:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    if not stat.S_ISREG(mode):
        kind = kinds.get(stat.S_IFMT(mode), "a device")
        raise I2IError("E_NOT_REGULAR", f"is {kind}, not a regular file")


def _decode(data: bytes, form: Format, header: Header, limits: Limits) -> Planes:
    try:
        image = _open(data, form)
        check_size(*image.size, max_pixels=limits.max_pixels)
        frames = _count_frames(image, form, header)
        planes = split(image, header=header, reopen=lambda: _open(data, form))
        upright, notes = _turn_upright(planes, image)
    except _DECODER_ERRORS as error:
        if form == "TIFF" and ends_early(data):
            raise truncated(data) from error
        raise _decoder_failure(error) from error
    first = (f"has {frames} frames; the first one is used",) if frames > 1 else ()
    return replace(upright, notes=first + upright.notes + notes)


def _open(data: bytes, form: Format) -> Image.Image:
    # The format's own class, not `Image.open`: that one compares with a limit that the whole process shares.
    module, _, name = _OPENERS[form].partition(":")
    opener = getattr(importlib.import_module(f"PIL.{module}"), name)
    image: Image.Image = opener(io.BytesIO(data))
    return image


def _count_frames(image: Image.Image, form: Format, header: Header) -> int:
    if form == "GIF":
        return header.frames  # counting them by Pillow would follow the later frames' sizes
    try:
        return int(getattr(image, "n_frames", 1))
    except _DECODER_ERRORS:
        image.seek(0)
        return 2  # a broken later page: there is more than one, and the first is whole


def _turn_upright(planes: Planes, image: Image.Image) -> tuple[Planes, tuple[str, ...]]:
    """Apply the EXIF orientation. Broken metadata never fails good pixels."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
        turn = _UPRIGHT.get(orientation)
    except _DECODER_ERRORS as error:
        return planes, (f"its EXIF data is broken and ignored ({error})",)
    if turn is None:
        return planes, ()
    alpha = None if planes.alpha is None else planes.alpha.transpose(turn)
    return replace(planes, colour=planes.colour.transpose(turn), alpha=alpha), ()


def _picture(planes: Planes, *, colour: Colour, format_name: str) -> Picture:
    image, alpha = planes.colour, planes.alpha
    if colour == "rgba":
        image = image.convert("RGBA")
        if alpha is not None:
            image.putalpha(alpha)
            alpha = None
    elif colour == "labels":
        image = image.convert("RGB")
    else:
        image = _over_white(image, alpha).convert({"gray": "L", "rgb": "RGB"}[colour])
    pixels = np.array(image)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return Picture(pixels, None if alpha is None else np.array(alpha), format_name, planes.notes)


def _over_white(image: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return image
    white = Image.new(image.mode, image.size, "white")
    white.paste(image, mask=alpha)
    return white


def _decoder_failure(error: Exception) -> I2IError:
    reason = str(error) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return I2IError("E_TOO_MANY_PIXELS", reason)
    if isinstance(error, EOFError) or _ENDS_EARLY.search(reason):
        return I2IError("E_TRUNCATED", f"the file ends too early ({reason}); copy or download it again")
    if isinstance(error, NotImplementedError) or _NOT_KNOWN.search(reason):
        return I2IError("E_UNSUPPORTED_MODE", f"this kind of file is not read ({reason}); save it as 8-bit PNG")
    return I2IError("E_CORRUPT", f"cannot be decoded ({reason})")


def _name_note(path: Path | None, form: Format) -> tuple[str, ...]:
    if path is None or not path.suffix or path.suffix.lower() in SUFFIXES_OF[form]:
        return ()
    return (f"is named {path.suffix} but is {form}; read by its content",)
