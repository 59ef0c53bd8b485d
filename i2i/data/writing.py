"""Text written by a translator of fonts: glyphs of the source font, drawn as the model saw them, translated and set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from i2i.data.typeface import PAPER, Glyph, Typeface
from i2i.errors import I2IError
from i2i.images.card import Drawing
from i2i.runtime.translator import Translator
from i2i.tables import unknown

Style = str | Mapping[str, float]

BATCH = 16  # glyphs in the network at once


class Writer:
    """Writes with a model and the font that its source was drawn with, `font` (`NAME.ttc#2` is the third of a
    collection).

    Raises `I2IError`: E_CONDITION for a model that was not trained on fonts, and those of `Typeface`.
    """

    def __init__(self, translator: Translator, font: str | Path) -> None:
        card = translator.card
        drawing = drawing_of(translator)
        if card.sizing.width is None:
            raise I2IError("E_CONDITION", f"model '{card.name}' has no size of its own to draw characters in")
        self.translator = translator
        self.face = Typeface(font, size=card.sizing.width, placing=drawing)

    @property
    def styles(self) -> tuple[str, ...]:
        """The fonts that the model writes."""
        condition = self.translator.card.condition
        return condition.names if condition else ()

    def missing(self, text: str) -> str:
        """The characters of a text that the source font does not have; spaces are no characters."""
        return "".join(dict.fromkeys(c for c in text if not c.isspace() and self.face.lacks(c) is not None))

    def glyphs(self, text: str, style: Style | Sequence[Style]) -> list[Glyph]:
        """One picture uint8 (H, W) for each character, in one style or each in its own; a space is blank.

        Raises `I2IError`: E_BAD_DATA naming the characters that the source font does not have, and E_CONDITION.
        """
        lacking = self.missing(text)
        if lacking:
            message = f"the font has no {' '.join(lacking)}; leave them out, or name another font with --font"
            raise I2IError("E_BAD_DATA", message, path=self.face.path)
        styles = [style] * len(text) if isinstance(style, str | Mapping) else list(style)
        drawn = [at for at, c in enumerate(text) if not c.isspace()]
        made = {at: np.full((self.face.size, self.face.size), PAPER, np.uint8) for at in range(len(text))}
        for start in range(0, len(drawn), BATCH):
            part = drawn[start : start + BATCH]
            sources = [self.face.draw(text[at])[:, :, None] for at in part]
            outputs = self.translator.batch(sources, domain=[styles[at] for at in part])
            made |= {at: output[:, :, 0] for at, output in zip(part, outputs, strict=True)}
        return [made[at] for at in range(len(text))]

    def strip(self, text: str, style: Style) -> Glyph:
        """The text as one line, (H, W * characters). Raises as `glyphs`."""
        return np.concatenate(self.glyphs(text, style), axis=1)

    def sheet(self, text: str, styles: Sequence[Style]) -> Glyph:
        """The text in several styles, a line for each. Raises as `glyphs`."""
        return np.concatenate([self.strip(text, style) for style in styles])


def between(first: str, last: str, count: int) -> list[Style]:
    """`count` mixtures of two styles, from all of one to all of the other in equal steps.

    Raises `I2IError` (E_CONDITION) where both are the same one.
    """
    if first == last:
        raise I2IError("E_CONDITION", f"a mixture goes from one font to another, not '{first}' to itself; name two")
    return [{first: 1 - share, last: share} for share in np.linspace(0.0, 1.0, count).tolist()]


def drawing_of(translator: Translator) -> Drawing:
    """How a model's source was drawn. Raises `I2IError` (E_CONDITION) for a model that was not trained on fonts."""
    drawing = translator.card.drawing
    if drawing is None or translator.card.condition is None:
        raise I2IError("E_CONDITION", f"model '{translator.card.name}' does not write characters; give it pictures")
    return drawing


def check_style(writer: Writer, style: str) -> None:
    """Raise `I2IError` (E_CONDITION), with the nearest name, for a font that the model does not write."""
    if style not in writer.styles:
        raise I2IError("E_CONDITION", unknown("domain", style, writer.styles))
