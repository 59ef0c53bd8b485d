"""A model as a function from picture to picture: the same type comes out as went in. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from threading import Semaphore
from typing import Protocol, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from i2i.errors import I2IError
from i2i.images import codec
from i2i.images.card import ImageCard
from i2i.runtime import shrinking, tiling
from i2i.runtime.alpha import carried
from i2i.runtime.conditions import Asked, Attributes, Domain, Domains, changed, check
from i2i.runtime.outputs import written_as
from i2i.runtime.tiling import Tiling

Array = npt.NDArray[np.uint8]

LARGE = 2**21  # pixels: what is more does not go into a network in one piece unless asked
SIDE = 1024  # of a tile
HALVINGS = 2  # of the tiles, where memory runs out


class Session(Protocol):
    """Something that runs a model: onnxruntime or torch."""

    @property
    def card(self) -> ImageCard:
        """What the model is."""
        ...

    @property
    def provider(self) -> str:
        """Where it runs: "cpu", "cuda" ..."""
        ...

    @property
    def lanes(self) -> int:
        """How many threads may call `run` at once and gain by it."""
        ...

    @property
    def obstacle(self) -> str:
        """Why tiles of a picture, translated one by one, would not fit together; empty where they do."""
        ...

    def settled(self, samples: Iterable[Array], asked: Asked, *, corner: Array) -> Session:
        """A session for the tiles of one picture: what the network takes from the whole of a picture it has from these
        batches of `samples` [N, H, W, C] and the `corner` [1, H, W, C] where it begins, which are to be what is `asked`
        of the one picture.
        """
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
    that came goes out again, enlarged by the model's scale; label maps carry none.

    Size: a picture of more than 2 megapixels is translated in overlapping tiles of 1,024 pixels where the model can be
    tiled (`i2i.runtime.tiling`); where it resizes, such a picture is reduced before the graph and enlarged behind it.
    `tile` sets the side of the tiles, and what is larger on a side is tiled; 0: none is. Where memory runs out, a
    picture is tried again in tiles of half the side, and once more.

    Raises `I2IError`: E_CONDITION for a model that makes pictures from noise, E_USAGE for a `tile` below 0, or where
    the model cannot be tiled, with the reason.
    """

    def __init__(self, session: Session, *, tile: int | None = None) -> None:
        if session.card.latent is not None:
            message = f"model '{session.card.name}' makes pictures from noise and takes no picture; use `i2i sample`"
            raise I2IError("E_CONDITION", message)
        self._session = session
        self._tile = tile
        # As many threads as there are lanes may translate a picture each, and each picture has as many tiles at work.
        self._lane = Semaphore(session.lanes) if session.lanes > 1 else nullcontext()
        if tile is not None and tile < 0:
            raise I2IError("E_USAGE", f"tiles of {tile} pixels; a side is at least 1, and 0 means no tiles")
        if tile and (obstacle := self._obstacle()):
            raise I2IError("E_USAGE", f"model '{self.card.name}' takes no tiles: {obstacle}")

    @property
    def card(self) -> ImageCard:
        """What the model is, what it takes and what it gives."""
        return self._session.card

    @property
    def tile(self) -> int | None:
        """The side of the tiles as it was asked for; None: by the size of the picture."""
        return self._tile

    @property
    def provider(self) -> str:
        """Where the model runs: "cpu", "cuda" ..."""
        return self._session.provider

    @property
    def lanes(self) -> int:
        """How many threads may translate at once and gain by it."""
        return self._session.lanes

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
        for (height, width, *_), positions in groups.items():
            if self._is_large(height, width):
                results.update(
                    (position, self._one(images[position], wanted.rows([position]))) for position in positions
                )
                continue
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
        height, width = pixels.shape[:2]
        self._check_size(height, width)
        check(self.card, 1, wanted)
        tiled = self._is_large(height, width) and self._can_tile(wanted)
        tiles = Tiling.of(self.card.sizing, self._tile or SIDE) if tiled else None
        for _ in range(HALVINGS):
            try:
                return self._translated(pixels, wanted, tiles)
            except I2IError as error:
                side = max(height, width) if tiles is None else tiles.side
                if error.code != "E_OOM" or self._tile == 0 or not self._can_tile(wanted):
                    raise
                tiles = Tiling.of(self.card.sizing, side // 2)
                if tiles.side >= side:
                    raise
        return self._translated(pixels, wanted, tiles)

    def _translated(self, pixels: Array, wanted: Asked, tiles: Tiling | None) -> Array:
        """One picture: in tiles, reduced and enlarged outside of the graph, or as it is."""
        if tiles is not None:
            samples = tiling.samples(pixels, card=self.card, tiling=tiles)
            corner = tiling.corner(pixels, card=self.card, tiling=tiles)
            with self._lane:
                session = self._session.settled(samples, wanted, corner=corner)
            return tiling.translate(pixels, card=self.card, tiling=tiles, run=partial(self._each, session, wanted))
        if self._is_large(*pixels.shape[:2]) and shrinking.possible(self.card):
            return shrinking.translate(pixels, card=self.card, run=lambda small: self._run(small[None], wanted)[0])
        result: Array = self._run(pixels[None], wanted)[0]
        return result

    def _is_large(self, height: int, width: int) -> bool:
        """Whether a picture is more than what goes into the network in one piece."""
        return max(height, width) > self._tile if self._tile else self._tile is None and height * width > LARGE

    def _can_tile(self, wanted: Asked) -> bool:
        """Attributes that are to stay as they are in the picture would be read off each tile by itself."""
        keeps = wanted.condition is not None and bool(np.isnan(wanted.condition).any())
        return not keeps and not self._obstacle()

    def _obstacle(self) -> str:
        """Why pictures cannot be tiled; empty where they can."""
        sizing = self.card.sizing
        if sizing.rule == "fixed":
            return f"it takes only {sizing.width}x{sizing.height}"
        if sizing.rule == "resize":
            return f"it resizes pictures of any size to {sizing.width}x{sizing.height}, so leave --tile out"
        return self._session.obstacle

    def _run(self, pictures: Array, wanted: Asked) -> Array:
        count, height, width, _ = pictures.shape
        self._check_size(height, width)
        check(self.card, count, wanted)
        with self._lane:
            return _run(self._session, pictures, wanted)

    def _each(self, session: Session, wanted: Asked, tiles: Iterable[Array]) -> Iterator[Array]:
        """Tiles [H, W, C] one by one, in their order; of all pictures together as many at once as there are lanes."""

        def translated(tile: Array) -> Array:
            with self._lane:
                result: Array = _run(session, tile[None], wanted)[0]
            return result

        with ThreadPoolExecutor(session.lanes, "i2i-tile") as pool:
            yield from pool.map(translated, tiles)

    def _check_size(self, height: int, width: int) -> None:
        sizing = self.card.sizing
        if sizing.rule == "fixed" and (width, height) != (sizing.width, sizing.height):
            message = f"the picture is {width}x{height}; this model takes only {sizing.width}x{sizing.height}"
            raise I2IError("E_SIZE", f"{message}, so resize it first")


def _run(session: Session, pictures: Array, wanted: Asked) -> Array:
    """Translate [N, H, W, C], and hold the session to its card."""
    card, (count, height, width, _) = session.card, pictures.shape
    result: Array = session.run(pictures, **wanted._asdict())
    expected = (count, height * card.scale, width * card.scale, card.target.channels)
    if result.shape != expected:
        message = f"the model gave {result.shape} for {pictures.shape}; its card promises {expected}"
        raise I2IError("E_ONNX_IO", message)
    return result
