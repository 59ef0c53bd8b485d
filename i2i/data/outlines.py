"""From the picture of a glyph to its outline: polygons in the units of a font."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FINE = 8  # how many times larger the picture is traced
TOLERANCE = 0.12  # pixels by which a polygon may leave the edge
LEAST_AREA = 1.0  # square pixels: smaller ones are specks
INK = 128  # darker is ink

Contour = npt.NDArray[np.float64]  # (points, 2): right and up


def traced(picture: npt.NDArray[np.uint8]) -> list[Contour]:
    """The outlines of the dark parts of a picture (H, W), as polygons in pixels from the upper left corner, right and
    down.

    Outer ones turn clockwise as seen, holes the other way, as TrueType fills them. The edge is where the picture,
    enlarged smoothly, is half grey, so that antialiasing counts. Specks and pinholes are left out.
    """
    import cv2

    bordered = cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    large = cv2.resize(bordered, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    found, tree = cv2.findContours((large < INK).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours = []
    for points, (*_, parent) in zip(found, [] if tree is None else tree[0], strict=True):
        if len(points) < 3 or cv2.contourArea(points) < LEAST_AREA * FINE**2:
            continue
        polygon = cv2.approxPolyDP(points, TOLERANCE * FINE, True)[:, 0].astype(np.float64)
        if len(polygon) >= 3:
            contours.append(_turned((polygon + 0.5) / FINE - 1, clockwise=parent < 0))
    return contours


def _turned(polygon: Contour, *, clockwise: bool) -> Contour:
    """The polygon in the direction that is asked for; with y down a positive area is clockwise as seen."""
    x, y = polygon.T
    area = float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    return polygon if (area > 0) == clockwise else polygon[::-1]
