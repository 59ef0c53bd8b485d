"""The transparency of the picture that came, for the picture that goes out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.images.card import ImageCard


def carried(alpha: npt.NDArray[np.uint8] | None, card: ImageCard) -> npt.NDArray[np.uint8] | None:
    """Alpha uint8 [H, W] as uint8 [H*scale, W*scale] (bilinear), or None where the output has its own or takes none."""
    if alpha is None or card.target.colour not in ("gray", "rgb"):
        return None
    if card.scale == 1:
        return alpha
    height, width = alpha.shape
    enlarged = Image.fromarray(alpha).resize((width * card.scale, height * card.scale), Image.Resampling.BILINEAR)
    return np.asarray(enlarged)
