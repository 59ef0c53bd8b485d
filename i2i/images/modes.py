"""From every mode that Pillow opens to 8-bit grey or RGB and, apart from it, alpha. Nothing is blended here.

* 16 bits are scaled, `round(v / 257)`, never cut. Pillow hides 16-bit colour behind 8-bit modes: the picture is decoded
  twice, once for the high bytes and once for the low ones, which needs no other library and gives the exact value.
* 32-bit integers with values in 0..65535 are read as 16 bits. Floats are read by the smallest of the ranges 0..1,
  0..255 and 0..65535 that holds them all. Anything else has no meaning as a picture and is refused.
* A colour declared transparent (PNG tRNS, GIF) becomes alpha 0, compared in the file's own depth.
* CMYK goes through its embedded profile, or the plain conversion where there is none. Other profiles are not applied.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.errors import I2IError
from i2i.images.header import Header

_TOP = {"1": 255, "2": 85, "4": 17, "8": 1}
_SWAPPED = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B" if sys.byteorder == "little" else "RGB;16L",
    "RGBX;16B": "RGBX;16L",
    "RGBX;16L": "RGBX;16B",
    "RGBX;16N": "RGBX;16B" if sys.byteorder == "little" else "RGBX;16L",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B" if sys.byteorder == "little" else "RGBA;16L",
}

Pixels8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Planes:
    """`colour` in mode L or RGB, `alpha` in mode L or None, both of one size; `notes` are warnings for the user."""

    colour: Image.Image
    alpha: Image.Image | None = None
    notes: tuple[str, ...] = ()


def split(image: Image.Image, *, header: Header, reopen: Callable[[], Image.Image] | None = None) -> Planes:
    """Separate a picture into colour and alpha.

    `image` may be not loaded yet; `reopen` gives the same picture again for the second pass over 16-bit colour.
    Raises `I2IError` E_UNSUPPORTED_MODE, and whatever the decoder raises.
    """
    raw = _raw_mode(image)
    if reopen is not None and raw == "LA;16B":
        return _grey_alpha_16(reopen())
    if reopen is not None and raw in _SWAPPED:
        return _colour_16(image, reopen(), raw=raw, transparent=header.transparent)
    image.load()
    read_mode = _MODES.get(image.mode)
    if read_mode is None:
        message = f"pictures of Pillow's mode {image.mode} are not read; save it as 8-bit RGB"
        raise I2IError("E_UNSUPPORTED_MODE", message)
    return read_mode(image, header)


def scale_16(values: npt.NDArray[np.uint16]) -> Pixels8:
    """round(v / 257): 0..65535 to 0..255, any shape."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _raw_mode(image: Image.Image) -> str:
    """The layout of the file's samples, when all parts of the file share one."""
    tiles = getattr(image, "tile", None) or []
    raws = {tile.args[0] if isinstance(tile.args, tuple) else tile.args for tile in tiles}
    raw = raws.pop() if len(raws) == 1 else ""
    return raw if isinstance(raw, str) else ""


def _with_raw_mode(image: Image.Image, raw: str) -> Image.Image:
    tiles = getattr(image, "tile")  # noqa: B009  (only pictures from files have it)
    changed = [t._replace(args=(raw, *t.args[1:]) if isinstance(t.args, tuple) else raw) for t in tiles]
    setattr(image, "tile", changed)  # noqa: B010
    return image


def _colour_16(image: Image.Image, again: Image.Image, *, raw: str, transparent: tuple[int, ...] | None) -> Planes:
    high, low = np.asarray(image), np.asarray(_with_raw_mode(again, _SWAPPED[raw]))
    if high.shape != low.shape:
        raise I2IError("E_CORRUPT", "the two halves of the 16-bit samples do not fit")
    # v = 256 h + l, so v / 257 = h + (l - h) / 257: h is right or off by one.
    difference = low.astype(np.int16) - high
    scaled = (high + (difference > 128) - (difference < -128)).astype(np.uint8)
    colour = Image.fromarray(np.ascontiguousarray(scaled[..., :3]))
    if image.mode == "RGBA":
        return Planes(colour, Image.fromarray(np.ascontiguousarray(scaled[..., 3])))
    if transparent is None:
        return Planes(colour)
    key = np.array(transparent)
    is_key = ((high == key >> 8) & (low == key & 255)).all(axis=-1)
    return Planes(colour, _opaque_but(is_key))


def _grey_alpha_16(image: Image.Image) -> Planes:
    # A pixel's four bytes, read as if they were RGBA: grey high, grey low, alpha high, alpha low.
    both = np.asarray(_with_raw_mode(image, "RGBA")).view(">u2")
    scaled = scale_16(both)
    grey, alpha = (Image.fromarray(np.ascontiguousarray(scaled[..., i])) for i in (0, 1))
    return Planes(grey, alpha)


def _grey_16(image: Image.Image, header: Header) -> Planes:
    values, transparent = np.asarray(image), header.transparent
    alpha = None if transparent is None else _opaque_but(values == transparent[0])
    return Planes(Image.fromarray(scale_16(values)), alpha)


def _grey_32(image: Image.Image, _: Header) -> Planes:
    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        message = f"32-bit integers from {low} to {high} have no range as a picture; save it with 8 or 16 bits"
        raise I2IError("E_UNSUPPORTED_MODE", message)
    return Planes(Image.fromarray(scale_16(values.astype(np.uint16))))


def _grey_float(image: Image.Image, _: Header) -> Planes:
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    top = next((top for top in (1.0, 255.0, 65535.0) if low >= 0 and high <= top), None)
    if top is None:  # NaN fails every comparison
        message = f"float values from {low:g} to {high:g} have no range as a picture; scale them to 0..1"
        raise I2IError("E_UNSUPPORTED_MODE", message)
    scaled = np.rint(values * (255.0 / top)).astype(np.uint8)
    notes = () if top == 1.0 else (f"float values up to {high:g} are read as 0..{top:g}",)
    return Planes(Image.fromarray(scaled), notes=notes)


def _cmyk(image: Image.Image, _: Header) -> Planes:
    profile = image.info.get("icc_profile")
    if not profile:
        return Planes(image.convert("RGB"))
    from PIL import ImageCms

    try:
        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImportError, OSError, ValueError, TypeError, ImageCms.PyCMSError) as error:  # ImportError: no LittleCMS
        return Planes(image.convert("RGB"), notes=(f"the embedded CMYK profile is not used: {error}",))
    return Planes(image.convert("RGB") if converted is None else converted)


def _plain(image: Image.Image, header: Header) -> Planes:
    colour = image.convert("L") if image.mode == "1" else image
    return Planes(colour, _keyed(colour, _transparent(image, header)))


def _converted(image: Image.Image, _: Header) -> Planes:
    return Planes(image.convert("RGB"))


def _transparent(image: Image.Image, header: Header) -> tuple[int, ...] | None:
    """The transparent grey value or colour in 8-bit samples."""
    if header.transparent is not None:
        step = 255 // (2**header.depth - 1) if header.depth <= 8 else 1
        return tuple(value * step for value in header.transparent)
    key = image.info.get("transparency")
    if isinstance(key, int) and image.mode != "RGB":
        return (key,)
    return tuple(key) if isinstance(key, tuple) and len(key) == len(image.getbands()) else None


def _keyed(colour: Image.Image, key: tuple[int, ...] | None) -> Image.Image | None:
    if key is None:
        return None
    is_key = np.asarray(colour) == np.array(key if len(key) > 1 else key[0])
    return _opaque_but(is_key.all(axis=-1) if len(key) > 1 else is_key)


def _opaque_but(is_transparent: npt.NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(np.where(is_transparent, 0, 255).astype(np.uint8))


def _palette(image: Image.Image, header: Header) -> Planes:
    has_alpha = "transparency" in image.info or (image.palette is not None and image.palette.mode == "RGBA")
    return _with_alpha(image, header) if has_alpha else Planes(image.convert("RGB"))


def _with_alpha(image: Image.Image, _: Header) -> Planes:
    bands = image.convert("LA" if image.mode in {"LA", "La"} else "RGBA")
    alpha = bands.getchannel("A")
    if bands.mode == "LA":
        return Planes(bands.getchannel("L"), alpha)
    return Planes(Image.merge("RGB", bands.split()[:3]), alpha)


_MODES: dict[str, Callable[[Image.Image, Header], Planes]] = {
    **dict.fromkeys(("1", "L", "RGB"), _plain),
    **dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), _grey_16),
    "I": _grey_32,
    "F": _grey_float,
    "P": _palette,
    **dict.fromkeys(("LA", "La", "PA", "RGBA", "RGBa"), _with_alpha),
    "CMYK": _cmyk,
    **dict.fromkeys(("RGBX", "YCbCr", "HSV"), _converted),
}
