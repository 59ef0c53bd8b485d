"""A model that makes pictures from noise, as a function. Needs no torch."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec
from i2i.images.card import ImageCard
from i2i.runtime.translator import Array, Session

Latents = npt.NDArray[np.float32]  # [N, Z]

BATCH = 16  # pictures in the network at once


class Sampler:
    """Makes pictures with a session. Raises `I2IError` (E_CONDITION) for a model that translates pictures."""

    def __init__(self, session: Session) -> None:
        if session.card.latent is None:
            message = f"model '{session.card.name}' translates pictures and makes none from noise; use `i2i convert`"
            raise I2IError("E_CONDITION", message)
        self._session = session
        self._channels = session.card.latent

    @property
    def card(self) -> ImageCard:
        """What the model is and what it gives."""
        return self._session.card

    @overload
    def __call__(self, latents: npt.NDArray[np.floating]) -> Array: ...

    @overload
    def __call__(self, latents: None = None, *, count: int = 1, seed: int = 0) -> list[Image.Image]: ...

    def __call__(
        self, latents: npt.NDArray[np.floating] | None = None, *, count: int = 1, seed: int = 0
    ) -> list[Image.Image] | Array:
        """Make `count` pictures from the noise of `seed`, as PIL images; or those of `latents` [N, Z], as one array
        uint8 [N, H, W, C]. Latents of float32 are taken as they are, others are rounded to it.

        Raises `I2IError`: E_SIZE for latents of another shape, E_USAGE for a count or seed below its least, E_OOM.
        """
        if latents is None:
            return [codec.to_pil(pixels) for pixels in self.apply(self.latents(count, seed=seed))]
        return self.apply(np.asarray(latents, dtype=np.float32))

    def latents(self, count: int, *, seed: int = 0) -> Latents:
        """Noise for `count` pictures: see `noise`."""
        return noise(count, self._channels, seed=seed)

    def apply(self, latents: Latents) -> Array:
        """The pictures uint8 [N, H, W, C] of latents [N, Z], some at a time. Raises as calling does."""
        if latents.ndim != 2 or latents.shape[1] != self._channels or not len(latents):
            message = f"model '{self.card.name}' takes latents [N, {self._channels}], got {list(latents.shape)}"
            raise I2IError("E_SIZE", message)
        parts = [self._session.run(latents[start : start + BATCH]) for start in range(0, len(latents), BATCH)]
        return np.concatenate(parts)


def noise(count: int, channels: int, *, seed: int) -> Latents:
    """Standard normal latents, float32 [count, channels], a function of the seed: fewer are the first of more."""
    if count < 1 or seed < 0:
        raise I2IError("E_USAGE", f"{count} pictures of seed {seed}; at least 1, of a seed from 0 on")
    return np.random.default_rng(seed).standard_normal((count, channels), dtype=np.float32)


def between(first: Latents, last: Latents, count: int) -> Latents:
    """`count` latents [count, Z] on the great circle from one latent [Z] to another, both ends included.

    On a straight line lengths would shrink in the middle, where normal noise of many numbers has no mass (White 2016,
    "Sampling Generative Networks", arXiv 1609.04468, section 2.1). Two of one direction are joined by a straight line.
    """
    share = np.linspace(0.0, 1.0, count)[:, None]
    a, b = first.astype(np.float64), last.astype(np.float64)
    cosine = float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), np.finfo(np.float64).tiny))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if np.sin(angle) < 1e-6:
        return np.asarray((1 - share) * a + share * b, dtype=np.float32)
    joined = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return np.asarray(joined, dtype=np.float32)
