"""A model as a function from picture to picture: the same type comes out as went in. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec
from i2i.images.card import ImageCard
from i2i.runtime.alpha import carried
from i2i.runtime.conditions import Asked, Attributes, Domain, Domains, changed, check
from i2i.runtime.outputs import written_as

Array = npt.NDArray[np.uint8]


class Session(Protocol):
    """Something that runs a model: onnxruntime or torch."""

    @property
    def card(self) -> ImageCard:
        """What the model is."""
        ...

    def run(
        self,
        image: Array | npt.NDArray[np.float32],
        *,
        domain: npt.NDArray[np.int64] | None = None,
        condition: npt.NDArray[np.float32] | None = None,
    ) -> Array:
        """Translate uint8 [N, H, W, C] to uint8 [N, H*scale, W*scale, C'], or the latent float32 [N, Z] likewise."""
        ...


class Translator:
    """Translates pictures with a session.

    Transparency: a model that does not handle alpha itself (`gray`, `rgb`) sees the picture over white, and the alpha
    that came goes out again, enlarged by the model's scale; label maps carry none. Raises `I2IError` (E_CONDITION)
    for a model that makes pictures from noise.
    """

    def __init__(self, session: Session) -> None:
        if session.card.latent is not None:
            message = f"model '{session.card.name}' makes pictures from noise and takes no picture; use `i2i sample`"
            raise I2IError("E_CONDITION", message)
        self._session = session

    @property
    def card(self) -> ImageCard:
        """What the model is, what it takes and what it gives."""
        return self._session.card

    @overload
    def __call__(
        self,
        image: str | Path | Image.Image,
        *,
        domain: Domain | None = None,
        set: Mapping[str, float] | None = None,
    ) -> Image.Image: ...

    @overload
    def __call__(
        self,
        image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
        *,
        domain: Domain | None = None,
        set: Mapping[str, float] | None = None,
    ) -> Array: ...

    @overload
    def __call__(
        self,
        image: bytes,
        *,
        domain: Domain | None = None,
        set: Mapping[str, float] | None = None,
    ) -> bytes: ...

    def __call__(
        self,
        image: str | Path | Image.Image | npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | bytes,
        *,
        domain: Domain | None = None,
        set: Mapping[str, float] | None = None,  # noqa: A002
    ) -> Image.Image | Array | bytes:
        """Translate one picture.

        A path or a PIL image gives a PIL image. An array ([H, W] or [H, W, C]; uint8, or uint16 which is scaled to
        8 bits) gives a uint8 array: [H, W] when that came and the model's output is grey, else [H, W, C]. The bytes of
        a file give the bytes of a file, of the same type where it can be written, else PNG.

        A model with domains needs `domain`: a name, a number, or, where the model mixes them, a weight for each of
        some names. One with attributes needs `set`, the values of some by name; the picture keeps the others, and all
        of them with `{}`.

        Raises `I2IError`: E_CONDITION (domain or attribute missing, unknown or out of range), E_SIZE (the model takes
        one size only), and the codes of `i2i.images.codec` for pictures that cannot be read.
        """
        wanted = changed(self.card, 1, domain=domain, attributes=set)
        if isinstance(image, np.ndarray):
            return self._array(image, wanted)
        colour = self.card.source.colour
        if isinstance(image, Image.Image):
            picture = codec.from_pil(image, colour=colour)
        else:
            picture = codec.read(image, colour=colour)
        pixels = self._one(picture.pixels, wanted)
        alpha = carried(picture.alpha, self.card)
        if isinstance(image, bytes):
            return codec.encode(pixels, format=written_as(picture.format, "same", self.card.target), alpha=alpha)
        return codec.to_pil(pixels, alpha)

    def apply(self, pixels: Array, *, domain: Domains | None = None, condition: Attributes | None = None) -> Array:
        """Translate uint8 [H, W, C] in the card's colours to uint8 [H*scale, W*scale, C'].

        `domain` int64 [1] or `condition` float32 [1, K] where the card has one; `i2i.runtime.conditions` makes them of
        names. Raises `I2IError`: E_CONDITION, E_SIZE, E_OOM, E_ONNX_INVALID.
        """
        return self._one(pixels, Asked(domain, condition))

    def batch(
        self,
        images: Sequence[Array],
        *,
        domain: Domain | Sequence[Domain] | None = None,
        set: Mapping[str, float] | None = None,  # noqa: A002
    ) -> list[Array]:
        """Translate many arrays uint8 [H, W, C] in the card's colours, those of one size in one run, order kept.

        `domain` and `set` are those of all, or `domain` has one for each picture. All pictures of one size are in the
        network at once: the caller decides how many. Raises as `apply` does.
        """
        wanted = changed(self.card, len(images), domain=domain, attributes=set)
        groups: dict[tuple[int, ...], list[int]] = {}
        for position, image in enumerate(images):
            groups.setdefault(image.shape, []).append(position)
        results: dict[int, Array] = {}
        for positions in groups.values():
            stacked = self._run(np.stack([images[position] for position in positions]), wanted.rows(positions))
            results.update(zip(positions, stacked, strict=True))
        return [results[position] for position in range(len(images))]

    def _array(self, image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], wanted: Asked) -> Array:
        picture = codec.from_array(image, colour=self.card.source.colour)
        pixels = self._one(picture.pixels, wanted)
        alpha = carried(picture.alpha, self.card)
        if alpha is not None:
            return np.concatenate([pixels, alpha[:, :, None]], axis=2)
        return pixels[:, :, 0] if image.ndim == 2 and pixels.shape[2] == 1 else pixels

    def _one(self, pixels: Array, wanted: Asked) -> Array:
        result: Array = self._run(pixels[None], wanted)[0]
        return result

    def _run(self, pictures: Array, wanted: Asked) -> Array:
        count, height, width, _ = pictures.shape
        self._check_size(height, width)
        check(self.card, count, wanted)
        result: Array = self._session.run(pictures, **wanted._asdict())
        expected = (count, height * self.card.scale, width * self.card.scale, self.card.target.channels)
        if result.shape != expected:
            message = f"the model gave {result.shape} for {pictures.shape}; its card promises {expected}"
            raise I2IError("E_ONNX_IO", message)
        return result

    def _check_size(self, height: int, width: int) -> None:
        sizing = self.card.sizing
        if sizing.rule == "fixed" and (width, height) != (sizing.width, sizing.height):
            message = f"the picture is {width}x{height}; this model takes only {sizing.width}x{sizing.height}"
            raise I2IError("E_SIZE", f"{message}, so resize it first")
