"""A labelled grid of pictures: one row per sample, one column per kind (source | output | target)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]  # H,W,C with C = 1, 3 or 4

GAP = 2
HEADER = 18
PAPER = (255, 255, 255)
INK = (40, 40, 40)
CHECKS = ((204, 204, 204), (255, 255, 255))


def grid(rows: Sequence[Sequence[Picture]], labels: Sequence[str] = (), *, largest: int = 512) -> Picture:
    """The rows of uint8 H,W,C pictures as one RGB picture with thin separators and a header of labels.

    Every cell is as large as the largest picture; smaller ones sit at its top left. Pictures with a side over
    `largest` are reduced. Transparent parts show a chequered ground. Raises ValueError for no rows, rows of different
    lengths, or a number of labels that is not the number of columns.
    """
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError(f"a grid needs rows of one length, got {[len(row) for row in rows]}")
    if labels and len(labels) != len(rows[0]):
        raise ValueError(f"{len(labels)} labels for {len(rows[0])} columns")
    cells = [[_reduced(as_rgb(picture), largest) for picture in row] for row in rows]
    height = max(cell.shape[0] for row in cells for cell in row)
    width = max(cell.shape[1] for row in cells for cell in row)
    top = HEADER if labels else 0
    canvas = np.empty((top + len(cells) * (height + GAP) + GAP, len(cells[0]) * (width + GAP) + GAP, 3), np.uint8)
    canvas[:] = PAPER
    for r, row in enumerate(cells):
        for c, cell in enumerate(row):
            y, x = top + GAP + r * (height + GAP), GAP + c * (width + GAP)
            canvas[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
    return _with_header(canvas, labels, width) if labels else canvas


def sheet(pictures: Sequence[Picture], *, columns: int | None = None, largest: int = 512) -> Picture:
    """The pictures in rows of `columns` (as many as rows, or one more), without labels, as one RGB picture.

    The last row is filled up with paper. Raises ValueError for no pictures.
    """
    if not pictures:
        raise ValueError("a sheet needs at least one picture")
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    paper = np.full((1, 1, 3), PAPER, np.uint8)
    filled = [*pictures, *[paper] * (-len(pictures) % columns)]
    return grid([filled[start : start + columns] for start in range(0, len(filled), columns)], largest=largest)


def as_rgb(picture: Picture) -> Picture:
    """uint8 H,W,C -> uint8 H,W,3: grey is repeated, transparency shows a chequered ground."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (1, 3, 4):
        raise ValueError(f"expected a uint8 H,W,C picture with 1, 3 or 4 channels, got {picture.dtype} {picture.shape}")
    if picture.shape[2] == 4:
        return _over_checks(picture)
    colours: Picture = picture if picture.shape[2] == 3 else np.repeat(picture, 3, axis=2)
    return colours


def _over_checks(picture: Picture) -> Picture:
    y, x = np.indices(picture.shape[:2]) // 8
    ground = np.array(CHECKS, np.float64)[(y + x) % 2]
    alpha = picture[..., 3:] / 255.0
    blended: Picture = np.rint(picture[..., :3] * alpha + ground * (1 - alpha)).astype(np.uint8)
    return blended


def _reduced(picture: Picture, largest: int) -> Picture:
    height, width = picture.shape[:2]
    factor = largest / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    smaller: Picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    return smaller


def _with_header(canvas: Picture, labels: Sequence[str], width: int) -> Picture:
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=11)
    for c, label in enumerate(labels):
        left = GAP + c * (width + GAP)
        draw.text((left + width / 2, HEADER / 2 + 1), _shortened(label, width, font), fill=INK, font=font, anchor="mm")
    drawn: Picture = np.asarray(image)
    return drawn


def _shortened(label: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while label and font.getlength(label) > width:
        label = label[:-1]
    return label
