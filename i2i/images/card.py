"""The card: what a model is, what it takes and what it gives.

It travels inside `model.safetensors`, beside it as `card.json`, and inside the .onnx file (metadata key `i2i.card`).

Values, said once for the whole project: inside torch an image is NCHW float32 in the card's `value_range`; at every
edge (files, numpy, ONNX inputs and outputs) it is uint8 HWC or NHWC, red first, 0..255.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from i2i.errors import I2IError

CARD_FORMAT = 2  # the latest that is read
_FORMAT, _FORMAT_OF_PRECISION = 1, 2  # written: 2 where a card says its `precision`, which earlier readers do not know
METADATA_KEY = "i2i.card"

Colour = Literal["gray", "rgb", "rgba", "labels"]


class Frozen(BaseModel):
    """Immutable and strict about names: a misspelt field is an error, not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pixels(Frozen):
    """How one side's pictures look in a file and inside the network.

    `gray`, `rgb` and `rgba` are scaled linearly. `labels` is a picture painted with the colours of `palette`; inside
    the network it is one plane per class (one-hot on the way in, the largest plane wins on the way out).
    """

    colour: Colour = "rgb"
    palette: tuple[tuple[int, int, int], ...] = ()

    @model_validator(mode="after")
    def _palette_matches_colour(self) -> Pixels:
        if (self.colour == "labels") != bool(self.palette):
            raise ValueError("a palette belongs to colour 'labels', and 'labels' needs one")
        if len(set(self.palette)) != len(self.palette):
            raise ValueError("the palette names a colour twice")
        if any(not 0 <= value <= 255 for colour in self.palette for value in colour):
            raise ValueError("palette values lie in 0..255")
        return self

    @property
    def channels(self) -> int:
        """Channels of the uint8 picture at the edge: 1, 3 or 4 (a label map is a colour picture)."""
        return {"gray": 1, "rgb": 3, "rgba": 4, "labels": 3}[self.colour]

    @property
    def planes(self) -> int:
        """Channels inside the network: those of the picture, or one per class."""
        return len(self.palette) if self.colour == "labels" else self.channels


class Sizing(Frozen):
    """How a picture of any size meets the network.

    `pad`: on all sides alike to the next multiple of `multiple`, at least `minimum`, by repeated reflection (an odd
    pixel goes to the bottom or the right), and cropped back. `resize`: to `width` x `height` (bilinear, antialiased)
    and back to the size that came. `fixed`: only `width` x `height` is taken, anything else is
    refused.
    """

    rule: Literal["pad", "resize", "fixed"] = "pad"
    multiple: int = Field(default=1, ge=1)
    minimum: int = Field(default=1, ge=1)
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _size_matches_rule(self) -> Sizing:
        sized = self.width is not None and self.height is not None
        if (self.rule == "pad") == sized:
            raise ValueError("width and height belong to the rules 'resize' and 'fixed', which need both")
        return self


class Condition(Frozen):
    """What steers the model beside the picture: exclusive `domains` by name, or a vector of `attributes`.

    `ranges`: from where to where each attribute runs, one (low, high) a name; without them all run from 0 to 1.
    `mixed`: the model takes a weight for each domain in place of one domain's number, so that domains can be mixed.
    """

    kind: Literal["domains", "attributes"]
    names: tuple[str, ...] = Field(min_length=1)
    exclusive_groups: tuple[tuple[str, ...], ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    mixed: bool = False

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> Condition:
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"each name stands once, not {', '.join(self.names)}")
        strange = [name for group in self.exclusive_groups for name in group if name not in self.names]
        if strange:
            raise ValueError(f"exclusive_groups: {', '.join(strange)} not among the names {', '.join(self.names)}")
        return self

    @model_validator(mode="after")
    def _ranges_match_names(self) -> Condition:
        if self.ranges and self.kind == "domains":
            raise ValueError("ranges belong to attributes; a domain is there or not")
        if self.ranges and len(self.ranges) != len(self.names):
            raise ValueError(f"ranges has one (low, high) for each of {len(self.names)} names, got {len(self.ranges)}")
        if not all(math.isfinite(low) and math.isfinite(high) and low < high for low, high in self.ranges):
            raise ValueError("a range runs from a number to a larger one")
        if self.mixed and self.kind == "attributes":
            raise ValueError("attributes are numbers already; domains alone are mixed")
        return self

    @property
    def port(self) -> Literal["domain", "condition"]:
        """The input that takes it: `domain` int64 [N], a number of a name; `condition` float32 [N, K], one a name."""
        return "domain" if self.kind == "domains" and not self.mixed else "condition"


class Placing(Frozen):
    """How large a character is drawn and where: `character_share`, the em as a share of the picture's side; `centring`,
    the em box in the middle of the picture, or the ink; `offset`, how far from there, to the right and down, as shares
    of the side.
    """

    character_share: float = Field(default=0.8, gt=0, le=2)
    centring: Literal["em", "ink"] = "em"
    offset: tuple[float, float] = (0.0, 0.0)


class Drawing(Placing):
    """How the characters of a model's source were drawn, so that it can be given others of its kind.

    `font` is the font's name and `file` that of its file (`NAME.ttc#2` is the third font of a collection).
    """

    font: str
    file: str

    @model_validator(mode="after")
    def _file_is_a_name(self) -> Drawing:
        if Path(self.file).name != self.file or "\\" in self.file or self.file == "..":
            raise ValueError(f"file names a font and no way to it, got '{self.file}'")
        return self


class NetworkSpec(Frozen):
    """A network by its name in the table and every hyper-parameter, so that it can be built again."""

    type: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Precision(Frozen):
    """In which numbers an .onnx file computes (`arithmetic`) and stores its weights.

    `psnr`, in dB, is how near the pictures are to those of the same model in 32 bits, `largest_difference` is in levels
    of 255. Of a label map, whose colours are names, `relabelled` takes their place: the share of pixels, 0..1, that
    have another label than in 32 bits. Of int8: `target` is the processors it is for (`any`: weights of 7 bits;
    `vnni`: of 8), and `layers` says how many of the layers compute in integers, of how many.
    """

    arithmetic: Literal["fp32", "fp16", "int8"] = "fp32"
    weights: Literal["fp32", "fp16", "int8"] = "fp32"
    psnr: float | None = None
    largest_difference: int | None = None
    relabelled: float | None = None
    target: Literal["any", "vnni"] | None = None
    layers: tuple[int, int] | None = None

    def __str__(self) -> str:
        words = [self.arithmetic if self.arithmetic != "fp32" else f"fp32, weights stored as {self.weights}"]
        if self.layers is not None:
            bits = "8-bit weights, for CPUs with VNNI" if self.target == "vnni" else "7-bit weights, for any CPU"
            words.append(f"{self.layers[0]} of {self.layers[1]} layers, {bits}")
        if self.psnr is not None:
            words.append(f"PSNR to fp32 {self.psnr:.1f} dB, largest difference {self.largest_difference} of 255")
        if self.relabelled is not None:
            words.append(f"{100 * self.relabelled:.2f} % of the pixels have another label than in fp32")
        return "; ".join(words)


class ImageCard(Frozen):
    """Everything a program needs to know about a model.

    With a `latent`, noise of so many numbers takes the place of the picture, and `source` says nothing. A model whose
    source are characters of a font has a `drawing`. `precision` belongs to .onnx files; without it all is in 32 bits.
    `format` is that of the card as it was read; what is written says its own.
    """

    format: int = _FORMAT
    name: str
    source: Pixels = Pixels()
    target: Pixels = Pixels()
    value_range: tuple[float, float] = (-1.0, 1.0)
    sizing: Sizing = Sizing()
    scale: int = Field(default=1, ge=1)
    condition: Condition | None = None
    latent: int | None = Field(default=None, ge=1)
    drawing: Drawing | None = None
    network: NetworkSpec
    method: str
    recipe_digest: str = ""
    step: int = 0
    licence: str = ""
    training_data: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)
    version: str = ""
    precision: Precision | None = None

    def to_json(self) -> str:
        """The card as one JSON document, indented, keys in the order of the fields; `precision` where there is one."""
        if self.precision is None:
            return self.model_copy(update={"format": _FORMAT}).model_dump_json(indent=2, exclude={"precision"})
        return self.model_copy(update={"format": _FORMAT_OF_PRECISION}).model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str | bytes, *, path: Path | str | None = None) -> ImageCard:
        """Read a card. Raises `I2IError`: E_CKPT_NEWER for a later format, E_CKPT_MISMATCH for anything else wrong."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            newer = _format_of(text)
            if newer > CARD_FORMAT:
                message = f"the card has format {newer}, this i2i reads up to {CARD_FORMAT}; upgrade i2i"
                raise I2IError("E_CKPT_NEWER", message, path=path) from None
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "card"
            raise I2IError("E_CKPT_MISMATCH", f"not a valid card: {where}: {first['msg']}", path=path) from None

    @model_validator(mode="after")
    def _format_is_known(self) -> ImageCard:
        if self.format > CARD_FORMAT:
            raise ValueError(f"card format {self.format} is newer than {CARD_FORMAT}")
        if self.value_range[0] >= self.value_range[1]:
            raise ValueError("value_range runs from low to high")
        return self


def _format_of(text: str | bytes) -> int:
    import json

    try:
        value = json.loads(text)
        return int(value["format"])
    except (ValueError, KeyError, TypeError):
        return 0
