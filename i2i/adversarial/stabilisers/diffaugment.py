"""DiffAugment: the discriminator sees real and fake images only through random differentiable augmentations.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", arXiv 2006.10738, section 3.2 and
appendix A (the ranges below). For small data sets: the discriminator cannot learn the training pictures by heart.

For conditional critics the geometry is the same for the image and its condition; colour changes touch the image alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from i2i.adversarial.stabilisers.stabiliser import Stabiliser

Augmentation = Literal["colour", "translation", "cutout"]


class DiffAugment(Stabiliser):
    """`policy` names the augmentations, applied in the order colour, translation, cutout, one draw per picture.

    colour: brightness +-0.5 (of a range of 2), saturation x 0..2, contrast x 0.5..1.5. translation: up to 1/8 of the
    side, zeros come in. cutout: a square of half the side becomes zero.
    """

    def __init__(self, *, policy: Sequence[Augmentation] = ("colour", "translation", "cutout")) -> None:
        super().__init__()
        self.policy = tuple(policy)

    def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Augment (N, C, H, W) planes; the condition goes through the same translation and cutout."""
        if "colour" in self.policy:
            image = _colour(image)
        planes = image if condition is None else torch.cat((image, condition), 1)
        if "translation" in self.policy:
            planes = _translate(planes)
        if "cutout" in self.policy:
            planes = _cut_out(planes)
        if condition is None:
            return planes, None
        return planes[:, : image.shape[1]], planes[:, image.shape[1] :]


def _uniform(like: Tensor) -> Tensor:
    """One number of 0..1 per picture, shaped (N, 1, 1, 1)."""
    return torch.rand(like.shape[0], 1, 1, 1, dtype=like.dtype, device=like.device)


def _colour(image: Tensor) -> Tensor:
    image = image + (_uniform(image) - 0.5)
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * (_uniform(image) * 2)
    mean = image.mean((1, 2, 3), keepdim=True)
    return mean + (image - mean) * (_uniform(image) + 0.5)


def _shifts(planes: Tensor, limit: int, side: int) -> Tensor:
    """Source coordinates (N, side) after a shift of at most `limit` pixels to either side."""
    shift = torch.randint(-limit, limit + 1, (planes.shape[0], 1), device=planes.device)
    return torch.arange(side, device=planes.device)[None] + shift


def _translate(planes: Tensor) -> Tensor:
    count, _, height, width = planes.shape
    rows = _shifts(planes, height // 8, height)
    columns = _shifts(planes, width // 8, width)
    inside = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[:, None, None, :]
    picture = torch.arange(count, device=planes.device)[:, None, None]
    moved = planes.permute(0, 2, 3, 1)[
        picture, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]
    ]
    return moved.permute(0, 3, 1, 2) * inside


def _cut_out(planes: Tensor) -> Tensor:
    height, width = planes.shape[-2:]
    rows = _outside(planes, height)[:, None, :, None]
    columns = _outside(planes, width)[:, None, None, :]
    return planes * (rows | columns)


def _outside(planes: Tensor, side: int) -> Tensor:
    """Which of `side` coordinates lie outside a window of half the side with a random centre: (N, side) booleans."""
    half = side // 4
    centre = torch.randint(0, side + 1, (planes.shape[0], 1), device=planes.device)
    place = torch.arange(side, device=planes.device)[None]
    return (place < centre - half) | (place >= centre + half)
