"""Teach a zi2zi model one more font: `python tools/add_font.py MODEL OUT --source FILE --font FILE [--count 100]`.

MODEL is a run folder or a model folder with weights, OUT the new model folder, which has the font's name as one more
domain. `--source` is the font that the model was trained to start from, `--font` the one to learn (`NAME.ttc#2` is the
third of a collection). It learns from `--count` of the characters that the training would not have held out
(`--characters`, `--test-characters` as in its recipe) and prints L1, SSIM and overlap of ink on up to 200 held-out
ones: of the source glyph, of the mean of the glyphs learnt from, of the model before (the mean of its styles) and
after; and what has become of the old fonts.

  --learn row       the style's own numbers alone: the old fonts stay what they are, to the bit (default)
  --learn decoder   the decoder as well: better, but the old fonts change

`tools/new_font.py` compares both, and a training from scratch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from command import METRICS, ended, markdown

from i2i.data.charsets import by_digest, characters, split
from i2i.data.typeface import Typeface
from i2i.errors import I2IError
from i2i.evaluation.fonts import mean_glyph, scored
from i2i.images.card import ImageCard
from i2i.loading import resolve
from i2i.networks.zi2zi import Zi2ZiGenerator
from i2i.runtime.conditions import of_numbers
from i2i.training.new_style import Learn, Pair, grown, learn_last_style
from i2i.weights.session import TorchSession
from i2i.weights.store import load_model, save_model

MOST_TESTED = 200
BATCH = 16

Rows = dict[str, dict[str, float]]


class Pairs(NamedTuple):
    """Glyphs of the source font and the new one, uint8 (H, W, 1): to learn from, and held out."""

    learnt: list[Pair]
    held: list[Pair]


class Model(NamedTuple):
    """A generator and its card."""

    generator: torch.nn.Module
    card: ImageCard


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("out", type=Path, metavar="OUT")
    add_font_options(parser)
    parser.add_argument("--learn", choices=["row", "decoder"], default="row")
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args(argv)
    return ended(lambda: run(options))


def add_font_options(parser: argparse.ArgumentParser) -> None:
    """Which font is learnt, from what, and how long."""
    parser.add_argument("--source", required=True, metavar="FILE")
    parser.add_argument("--font", required=True, metavar="FILE")
    parser.add_argument("--name", help="of the new domain (default: the font's)")
    parser.add_argument("--characters", default="gb2312-1", help="as in the recipe (default: %(default)s)")
    parser.add_argument("--test-characters", type=int, default=300, help="as in the recipe (default: %(default)s)")
    parser.add_argument("--count", type=int, default=100, help="glyphs to learn from (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=1000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")


def run(options: argparse.Namespace) -> None:
    if options.out.exists() and not options.overwrite:
        raise I2IError("E_EXISTS", "is there already; use --overwrite, or choose another name", path=options.out)
    old = Model(*load_model(resolve(options.model, engine="torch").path))
    faces = [typeface(old.card, file) for file in (options.source, options.font)]
    pairs = glyphs(faces, options)
    print(f"{options.name or faces[1].name}: learning from {len(pairs.learnt)} glyphs")
    rows = baselines(pairs)
    made = taught(old, faces[1], pairs, options, learn=options.learn, rows=rows)
    print(markdown(rows, METRICS))
    print(f"the {len(names(old))} old fonts: {changed(old, made, pairs.held)}")
    save_model(options.out, made.generator, made.card, overwrite=options.overwrite)
    print(options.out)


def taught(old: Model, face: Typeface, pairs: Pairs, options: argparse.Namespace, *, learn: Learn, rows: Rows) -> Model:
    """The model with the font of `face`; what it wrote before it had learnt and what after goes into `rows`."""
    torch.manual_seed(options.seed)
    generator, card = grown(*old, options.name or face.name)
    made = Model(generator, card)
    rows["before"] = compared(made, pairs.held)
    assert isinstance(generator, Zi2ZiGenerator)
    steps = options.steps
    learn_last_style(generator, card, pairs.learnt, learn=learn, steps=steps, seed=options.seed, said=progress(steps))
    rows["row" if learn == "row" else "row + decoder"] = compared(made, pairs.held)
    return made


def typeface(card: ImageCard, file: str) -> Typeface:
    """A font, drawn as the model's source was."""
    if card.drawing is None or card.sizing.width is None:
        raise I2IError("E_CKPT_MISMATCH", f"model '{card.name}' does not write fonts")
    return Typeface(file, size=card.sizing.width, placing=card.drawing)


def glyphs(faces: list[Typeface], options: argparse.Namespace) -> Pairs:
    """Pairs of the characters that both fonts have."""
    whole = characters(options.characters)
    parts = split(whole, test=options.test_characters, val=0)
    kept = {
        name: [c for c in by_digest(part) if not any(face.lacks(c) for face in faces)] for name, part in parts.items()
    }
    if not kept["train"] or not kept.get("test"):
        message = (
            f"the two fonts share {len(kept['train'])} characters to learn and {len(kept.get('test', []))} held out"
        )
        raise I2IError("E_BAD_DATA", f"{message} of {len(whole)}; name other --characters")
    some = kept["train"][: options.count], kept["test"][:MOST_TESTED]
    return Pairs(*([drawn(faces, c) for c in part] for part in some))


def drawn(faces: list[Typeface], character: str) -> Pair:
    source, target = (face.draw(character)[:, :, None] for face in faces)
    return source, target


def baselines(pairs: Pairs) -> Rows:
    """The source glyph as it is, and the mean of the glyphs learnt from."""
    targets = [target for _, target in pairs.held]
    mean = mean_glyph([target for _, target in pairs.learnt])
    return {
        "source glyph": scored([source for source, _ in pairs.held], targets, metrics=METRICS)[0],
        "mean glyph": scored([mean] * len(targets), targets, metrics=METRICS)[0],
    }


def compared(model: Model, held: list[Pair]) -> dict[str, float]:
    """The metrics of what the last style makes of the held-out glyphs."""
    return scored(written(model, held, len(names(model)) - 1), [target for _, target in held], metrics=METRICS)[0]


def written(model: Model, pairs: list[Pair], style: int) -> list[np.ndarray]:
    """What a style, by its number, makes of the sources."""
    session = TorchSession(*model)
    made: list[np.ndarray] = []
    for start in range(0, len(pairs), BATCH):
        sources = np.stack([source for source, _ in pairs[start : start + BATCH]])
        wanted = of_numbers(model.card, np.full(len(sources), style, np.int64))
        made += list(session.run(sources, **wanted._asdict()))
    return made


def changed(old: Model, made: Model, pairs: list[Pair]) -> str:
    """In words, how far the old fonts' outputs are from what they were."""
    styles = range(len(names(old)))
    before, after = (np.array([written(model, pairs, style) for style in styles]) for model in (old, made))
    if np.array_equal(before, after):
        return f"equal to the bit ({len(pairs)} glyphs of each)"
    moved = np.abs(before.astype(float) - after).mean(axis=(1, 2, 3, 4)) / 255
    each = ", ".join(f"{name} {value:.4f}" for name, value in zip(names(old), moved, strict=True))
    return f"L1 to what they were {moved.mean():.4f} ({each})"


def names(model: Model) -> tuple[str, ...]:
    """The fonts that a model writes."""
    return model.card.condition.names if model.card.condition else ()


def progress(steps: int) -> Callable[[int, float], None]:
    def said(step: int, loss: float) -> None:
        if step % max(steps // 10, 1) == 0:
            print(f"step {step} of {steps}  L1 {loss / 2:.4f}", flush=True)

    return said


if __name__ == "__main__":
    sys.exit(main())
