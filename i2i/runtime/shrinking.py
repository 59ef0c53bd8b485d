"""A large picture for a network that sees it small anyway: reduced before the graph, enlarged behind it.

The graph itself resizes by matrix products over whole planes in float32, which take 40 bytes a pixel and more. Pillow
has the same bilinear, antialiased filter on bytes. The small pictures are rounded to bytes between the steps, which
the graph does not do: results may differ from the graph's by a few levels where the network is steep.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.images.card import ImageCard

Array = npt.NDArray[np.uint8]


def possible(card: ImageCard) -> bool:
    """Whether the card's pictures can be resized as bytes: those of rule `resize`, unless a side holds labels."""
    return card.sizing.rule == "resize" and "labels" not in (card.source.colour, card.target.colour)


def translate(pixels: Array, *, card: ImageCard, run: Callable[[Array], Array]) -> Array:
    """Translate pixels [H, W, C] to [H*scale, W*scale, C'] by `run` on the size that the card names."""
    assert card.sizing.width is not None and card.sizing.height is not None  # the card's own check
    height, width = pixels.shape[:2]
    small = run(_resized(pixels, card.sizing.width, card.sizing.height))
    return _resized(small, width * card.scale, height * card.scale)


def _resized(pixels: Array, width: int, height: int) -> Array:
    """Pixels [H, W, C] as [height, width, C]; each channel by itself, so that alpha does not weigh colour."""
    bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(pixels, 2, 0)]
    result = np.empty((height, width, len(bands)), np.uint8)
    for number, band in enumerate(bands):
        result[:, :, number] = np.asarray(band.resize((width, height), Image.Resampling.BILINEAR))
    return result
