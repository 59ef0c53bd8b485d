"""Image-to-image translation with conditional GANs: train on a folder, convert a folder, embed the ONNX file."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from i2i.errors import I2IError
    from i2i.images.card import ImageCard
    from i2i.loading import load

__version__ = "0.1.0"
__all__ = ["I2IError", "ImageCard", "__version__", "load"]

_HOMES = {"load": "i2i.loading", "ImageCard": "i2i.images.card", "I2IError": "i2i.errors"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'i2i' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
