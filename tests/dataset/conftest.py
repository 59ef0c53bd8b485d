"""Pictures whose pixels say where they came from, so that a crop's geometry can be read off its colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Save = Callable[..., Path]


def _coordinates(height: int, width: int) -> np.ndarray:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.arange(height)[:, None]
    picture[..., 1] = np.arange(width)[None, :]
    return picture


@pytest.fixture(scope="session")
def coordinates() -> Callable[[int, int], np.ndarray]:
    """A picture (height, width, 3) of at most 256 x 256 whose red is the row and whose green is the column."""
    return _coordinates


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Saves an array (or a small plain picture) below the test's folder: `save("train/A/x.png", array)`."""

    def write(name: str, picture: np.ndarray | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(_coordinates(8, 8) if picture is None else picture).save(path)
        return path

    return write
