"""Teach a zi2zi model one more font: `python tools/add_font.py MODEL OUT --source FILE --font FILE [--count 100]`.

MODEL is a run folder or a model folder with weights, OUT the new model folder, which has the font's name as one more
domain. `--source` is the font that the model was trained to start from, `--font` the one to learn (`NAME.ttc#2` is the
third of a collection). It learns from `--count` of the characters that the training would not have held out
(`--characters`, `--test-characters` as in its recipe) and prints the L1 distance on up to 200 held-out ones: of the
source glyph, of the mean of the glyphs learnt from, of the model before (the mean of its styles) and after.

  --learn row       the style's own numbers alone: the old fonts stay what they are, to the bit (default)
  --learn decoder   the decoder as well: better, but the old fonts change
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from i2i.data.charsets import by_digest, characters, split
from i2i.data.typeface import Typeface
from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.loading import resolve
from i2i.training.new_style import Pair, grown, learn_last_style
from i2i.weights.session import TorchSession
from i2i.weights.store import load_model, save_model

MOST_TESTED = 200


def main(argv: list[str] | None = None) -> int:
    options = parsed(argv)
    torch.manual_seed(options.seed)
    try:
        run(options)
    except I2IError as error:
        print(f"error [{error.code}] {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


def parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--source", required=True, metavar="FILE")
    parser.add_argument("--font", required=True, metavar="FILE")
    parser.add_argument("--name", help="of the new domain (default: the font's)")
    parser.add_argument("--characters", default="gb2312-1", help="as in the recipe (default: %(default)s)")
    parser.add_argument("--test-characters", type=int, default=300, help="as in the recipe (default: %(default)s)")
    parser.add_argument("--count", type=int, default=100, help="glyphs to learn from (default: %(default)s)")
    parser.add_argument("--learn", choices=["row", "decoder"], default="row")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> None:
    if options.out.exists() and not options.overwrite:
        raise I2IError("E_EXISTS", "is there already; use --overwrite, or choose another name", path=options.out)
    generator, card = load_model(resolve(options.model, engine="torch").path)
    faces = [typeface(card, file) for file in (options.source, options.font)]
    made, told = grown(generator, card, options.name or faces[1].name)
    learnt, held = glyphs(faces, options)
    print(f"{told.condition.names[-1]}: learning from {len(learnt)} glyphs" if told.condition else "")
    targets = [target for _, target in held]
    print(f"source glyphs    L1 {distance([source for source, _ in held], targets):.4f}")
    mean = np.mean([target for _, target in learnt], axis=0)
    print(f"mean of glyphs   L1 {distance([mean] * len(held), targets):.4f}")
    print(f"before           L1 {distance(written(made, told, held), targets):.4f}")
    learn_last_style(
        made, told, learnt, learn=options.learn, steps=options.steps, seed=options.seed, said=progress(options.steps)
    )
    print(f"after            L1 {distance(written(made, told, held), targets):.4f}")
    save_model(options.out, made, told, overwrite=options.overwrite)
    print(options.out)


def typeface(card: ImageCard, file: str) -> Typeface:
    """A font, drawn as the model's source was."""
    if card.drawing is None or card.sizing.width is None:
        raise I2IError("E_CKPT_MISMATCH", f"model '{card.name}' does not write fonts")
    return Typeface(file, size=card.sizing.width, placing=card.drawing)


def glyphs(faces: list[Typeface], options: argparse.Namespace) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from and held-out ones, of the characters that both fonts have."""
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
    first, second = kept["train"][: options.count], kept["test"][:MOST_TESTED]
    learnt, held = ([drawn(faces, c) for c in some] for some in (first, second))
    return learnt, held


def drawn(faces: list[Typeface], character: str) -> Pair:
    source, target = (face.draw(character)[:, :, None] for face in faces)
    return source, target


def written(generator: torch.nn.Module, card: ImageCard, pairs: list[Pair]) -> list[np.ndarray]:
    """What the last style makes of the sources."""
    session = TorchSession(generator, card)
    weights = np.zeros((1, len(card.condition.names) if card.condition else 0), np.float32)
    weights[:, -1] = 1
    return [session.run(source[None], condition=weights)[0] for source, _ in pairs]


def distance(outputs: list[np.ndarray], targets: list[np.ndarray]) -> float:
    """Mean absolute difference, 0..1."""
    return float(np.mean([np.abs(a.astype(float) - b).mean() for a, b in zip(outputs, targets, strict=True)]) / 255)


def progress(steps: int) -> Callable[[int, float], None]:
    def said(step: int, loss: float) -> None:
        if step % max(steps // 10, 1) == 0:
            print(f"step {step} of {steps}  L1 {loss / 2:.4f}", flush=True)

    return said


if __name__ == "__main__":
    sys.exit(main())
