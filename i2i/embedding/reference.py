"""What a program of the kit is tested against: a picture (or noise), what is asked of the model, and what it gave.

The pair is made by i2i's own runtime, so that a program which passes its self-test does what `i2i convert` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from i2i.images import codec
from i2i.images.card import Condition, ImageCard
from i2i.runtime.conditions import Asked, asked, changed, ends
from i2i.runtime.sampler import Sampler
from i2i.runtime.translator import Array, Session, Translator

_LARGEST = 256  # pixels a side


class Reference(NamedTuple):
    """`wanted`: what is asked, as reference.json says it; `numbers`: the same as the graph takes it.

    `source` is None for a model that starts from noise.
    """

    wanted: dict[str, Any]
    numbers: list[float]
    source: Array | None
    output: Array


def reference(session: Session, example: Array | None) -> Reference:
    """Run the model once: on `example`, uint8 [H, W, C] in the card's colours, or on noise of seed 0."""
    card = session.card
    wanted = _wanted(card)
    domain, attributes = wanted.get("domain"), wanted.get("set")
    if card.latent is not None:
        request = asked(card, 1, domain=domain, attributes=attributes)
        latents = np.array([noise(card.latent, seed=0)], np.float32)
        return Reference(wanted, _numbers(request), None, Sampler(session).apply(latents, **request._asdict())[0])
    request = changed(card, 1, domain=domain, attributes=attributes)
    source = sketch(card) if example is None else fitted(example, card)
    return Reference(wanted, _numbers(request), source, Translator(session).apply(source, **request._asdict()))


def fitted(pixels: Array, card: ImageCard) -> Array:
    """A picture of a size that the model takes and a page can show: shrunk to at most 256 pixels a side."""
    height, width = pixels.shape[:2]
    if card.sizing.rule == "fixed":
        assert card.sizing.width is not None and card.sizing.height is not None  # the card's own check
        size = (card.sizing.width, card.sizing.height)
    else:
        share = min(1.0, _LARGEST / max(height, width))
        size = (max(1, round(width * share)), max(1, round(height * share)))
    if size == (width, height):
        return pixels
    # Colours of a label map are names: there is nothing between two of them.
    way = Image.Resampling.NEAREST if card.source.colour == "labels" else Image.Resampling.LANCZOS
    resized = np.asarray(codec.to_pil(pixels).resize(size, way))
    return resized.reshape(size[1], size[0], -1)


def sketch(card: ImageCard) -> Array:
    """A picture for a model of which no example is at hand: a face in black lines, or in a label map's own colours."""
    width, height = card.sizing.width or 128, card.sizing.height or 128
    fine = 4  # drawn larger and shrunk, for smooth edges
    labels = card.source.palette
    paper, ink = (labels[0], labels[-1]) if labels else ((255, 255, 255), (0, 0, 0))
    image = Image.new("RGB", (width * fine, height * fine), paper)
    draw = ImageDraw.Draw(image)
    x, y, line = width * fine, height * fine, max(1, round(0.045 * width * fine))
    draw.ellipse((0.12 * x, 0.12 * y, 0.88 * x, 0.88 * y), outline=ink, width=line)
    for centre in (0.37, 0.63):
        draw.ellipse(((centre - 0.05) * x, 0.36 * y, (centre + 0.05) * x, 0.48 * y), fill=ink)
    draw.arc((0.32 * x, 0.4 * y, 0.68 * x, 0.72 * y), 20, 160, fill=ink, width=line)
    small = image.resize((width, height), Image.Resampling.NEAREST if labels else Image.Resampling.LANCZOS)
    mode = {"gray": "L", "rgb": "RGB", "rgba": "RGBA", "labels": "RGB"}[card.source.colour]
    return np.asarray(small.convert(mode)).reshape(height, width, -1)


def is_line_drawing(pixels: Array) -> bool:
    """Whether a picture uint8 [H, W, C] is dark lines on white paper: colourless, little between, most of it paper."""
    colour = pixels[:, :, :3].astype(np.int16)
    colourless = float(np.mean(np.ptp(colour, axis=2) < 24)) if colour.shape[2] == 3 else 1.0
    light = colour.mean(axis=2)
    paper, ink = float(np.mean(light > 223)), float(np.mean(light < 96))
    return colourless > 0.98 and paper > 0.4 and ink > 0.005 and paper + ink > 0.8


def noise(count: int, *, seed: int) -> list[float]:
    """The noise of the kit's programs: standard normal numbers that every language computes alike from a seed.

    Uniform numbers are a counter through MurmurHash3's finaliser; normal ones, Box and Muller (1958). `i2i sample` has
    numpy's generator, which no other language has.
    """
    following = _uniform(seed)
    return [math.sqrt(-2 * math.log(following())) * math.cos(2 * math.pi * following()) for _ in range(count)]


def _uniform(seed: int) -> Callable[[], float]:
    state = _mixed((seed + 1) % 2**32)

    def following() -> float:
        nonlocal state
        state = (state + 0x9E3779B9) % 2**32
        return (_mixed(state) + 0.5) / 2**32

    return following


def _mixed(value: int) -> int:
    for factor, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
        value = (value ^ value >> shift) * factor % 2**32
    return value ^ value >> 16


def _wanted(card: ImageCard) -> dict[str, Any]:
    """The first domain; the first attribute switched on; of noise, every attribute said, so that none is drawn."""
    seed: dict[str, Any] = {} if card.latent is None else {"seed": 0}
    condition = card.condition
    if condition is None:
        return seed
    if condition.kind == "domains":
        return {**seed, "domain": condition.names[0]}
    return {**seed, "set": _switched(condition, every=card.latent is not None)}


def _switched(condition: Condition, *, every: bool) -> dict[str, float]:
    low, high = ends(condition)
    named = condition.names if every else condition.names[:1]
    return {name: float(low[number] if number else high[number]) for number, name in enumerate(named)}


def _numbers(request: Asked) -> list[float]:
    found: npt.NDArray[np.generic] | None = request.domain if request.domain is not None else request.condition
    return [] if found is None else [float(value) for value in found.ravel()]
