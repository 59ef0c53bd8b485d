"""uint8 arrays to files that carry pixels only: no EXIF, no GPS, no orientation, no profile."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from i2i.errors import I2IError
from i2i.images.modes import Pixels8
from i2i.tables import unknown

# Pillow's name, whether alpha survives, and what is passed to Pillow's writer. For PNG zlib's run-length strategy is
# twice as fast as the default at the same size for photographs.
FORMATS: dict[str, tuple[str, bool, dict[str, Any]]] = {
    "png": ("PNG", True, {"compress_level": 1, "compress_type": 3}),
    "jpg": ("JPEG", False, {"subsampling": 0}),
    "webp": ("WEBP", True, {}),
    "tiff": ("TIFF", True, {"compression": "tiff_lzw"}),
    "bmp": ("BMP", False, {}),
    "ppm": ("PPM", False, {}),
}
_ALIASES = {"jpeg": "jpg", "tif": "tiff"}


def encode(
    pixels: Pixels8,
    *,
    format: str,  # noqa: A002  (the word of every picture library)
    alpha: Pixels8 | None = None,
    quality: int = 95,
) -> bytes:
    """The bytes of a picture file.

    `pixels`: uint8 [H,W,C], C = 1, 3 or 4. `alpha`: uint8 [H,W], stored where the format can and dropped elsewhere (the
    colour is over white already); of C = 4 the colour is laid over white where alpha cannot be stored. `quality` is for
    jpg and webp. Raises `I2IError`: E_USAGE for an unknown format, E_SIZE for more than the format can hold.
    """
    name = format.lower().lstrip(".")
    name = _ALIASES.get(name, name)
    if name not in FORMATS:
        raise I2IError("E_USAGE", unknown("picture format", format, list(FORMATS)))
    writer, keeps_alpha, options = FORMATS[name]
    image = to_pil(pixels, alpha if keeps_alpha else None)
    if image.mode == "RGBA" and not keeps_alpha:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
        image = flat
    quality_option = {"quality": quality} if name in {"jpg", "webp"} else {}
    file = io.BytesIO()
    try:
        image.save(file, format=writer, **options, **quality_option)
    except (OSError, ValueError) as error:
        height, width = pixels.shape[:2]
        message = f"{width} x {height} cannot be written as {name} ({error}); use png"
        raise I2IError("E_SIZE", message) from error
    return file.getvalue()


def to_pil(pixels: Pixels8, alpha: Pixels8 | None = None) -> Image.Image:
    """The Pillow image (mode L, LA, RGB or RGBA) of uint8 [H,W,C] and, for C = 1 or 3, an optional alpha [H,W]."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if alpha is not None and pixels.shape[2] != 4:
        image.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    return image
