"""A model that makes pictures from noise, as a function. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec
from i2i.images.card import ImageCard
from i2i.runtime.conditions import Asked, Attributes, Domain, Domains, asked, check
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
    def __call__(
        self,
        latents: npt.NDArray[np.floating],
        *,
        seed: int = 0,
        domain: Domain | Sequence[Domain] | None = None,
        attributes: Mapping[str, float] | None = None,
    ) -> Array: ...

    @overload
    def __call__(
        self,
        latents: None = None,
        *,
        count: int = 1,
        seed: int = 0,
        domain: Domain | Sequence[Domain] | None = None,
        attributes: Mapping[str, float] | None = None,
    ) -> list[Image.Image]: ...

    def __call__(
        self,
        latents: npt.NDArray[np.floating] | None = None,
        *,
        count: int = 1,
        seed: int = 0,
        domain: Domain | Sequence[Domain] | None = None,
        attributes: Mapping[str, float] | None = None,
    ) -> list[Image.Image] | Array:
        """Make `count` pictures from the noise of `seed`, as PIL images; or those of `latents` [N, Z], as one array
        uint8 [N, H, W, C]. Latents of float32 are taken as they are, others are rounded to it.

        A model with domains needs `domain`, a name or number, or one a picture. Of one with attributes, `attributes`
        sets some by name; the others are drawn by the seed, and of an exclusive group that nobody names one is on.

        Raises `I2IError`: E_SIZE for latents of another shape, E_USAGE for a count or seed below its least,
        E_CONDITION for a domain or attribute that is missing, unknown or out of its range, E_OOM.
        """
        given = self.latents(count, seed=seed) if latents is None else np.asarray(latents, dtype=np.float32)
        self._check_shape(given)
        wanted = asked(self.card, len(given), domain=domain, attributes=attributes, seed=seed)
        pixels = self.apply(given, **wanted._asdict())
        return [codec.to_pil(picture) for picture in pixels] if latents is None else pixels

    def latents(self, count: int, *, seed: int = 0) -> Latents:
        """Noise for `count` pictures: see `noise`."""
        return noise(count, self._channels, seed=seed)

    def apply(self, latents: Latents, *, domain: Domains | None = None, condition: Attributes | None = None) -> Array:
        """The pictures uint8 [N, H, W, C] of latents [N, Z], some at a time.

        `domain` int64 [N] or `condition` float32 [N, K] where the card has one; `i2i.runtime.conditions` makes them of
        names. Raises as calling does.
        """
        self._check_shape(latents)
        wanted = Asked(domain, condition)
        check(self.card, len(latents), wanted)
        parts = [slice(start, start + BATCH) for start in range(0, len(latents), BATCH)]
        return np.concatenate([self._session.run(latents[part], **wanted.rows(part)._asdict()) for part in parts])

    def _check_shape(self, latents: Latents) -> None:
        if latents.ndim != 2 or latents.shape[1] != self._channels or not len(latents):
            message = f"model '{self.card.name}' takes latents [N, {self._channels}], got {list(latents.shape)}"
            raise I2IError("E_SIZE", message)


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
