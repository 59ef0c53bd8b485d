"""What a new font costs a zi2zi model: `python tools/new_font.py MODEL --source FILE --font FILE --out RUNS`.

A table of L1, SSIM and overlap of ink on held-out characters of a font that the model has never seen, for: the source
glyph, the mean of the glyphs learnt from, the model before (the mean of its styles), its new style learnt from
`--count` glyphs as a row alone and with the decoder (`tools/add_font.py`), and a zi2zi trained from scratch on the same
glyphs. The last is an ordinary training by the recipe of MODEL (or `-c FILE`), with the new font alone, as many
`--steps` as the others unless `--scratch-steps` says otherwise; it is resumed where it was interrupted. Then what has
become of the old fonts by either way. RUNS/row, RUNS/decoder and the run RUNS/scratch are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from add_font import (
    Model,
    Pairs,
    add_font_options,
    baselines,
    changed,
    compared,
    glyphs,
    taught,
    typeface,
)
from command import METRICS, ended, markdown
from runs import finish

from i2i.errors import I2IError
from i2i.loading import ModelPath, resolve
from i2i.training.new_style import Learn
from i2i.weights.store import load_model, save_model

LEARN: tuple[Learn, ...] = ("row", "decoder")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--out", type=Path, required=True, metavar="RUNS")
    add_font_options(parser)
    parser.add_argument("-c", "--config", type=Path, metavar="FILE.yaml", help="(default: the recipe beside MODEL)")
    parser.add_argument("--scratch-steps", type=int, metavar="N", help="(default: as --steps)")
    options = parser.parse_args(argv)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    found = resolve(options.model, engine="torch")
    old = Model(*load_model(found.path))
    faces = [typeface(old.card, file) for file in (options.source, options.font)]
    pairs = glyphs(faces, options)
    print(f"{options.name or faces[1].name}: {len(pairs.learnt)} glyphs to learn from, {len(pairs.held)} held out")
    recipe = recipe_of(found, options)
    rows, said = baselines(pairs), []
    for learn in LEARN:
        made = taught(old, faces[1], pairs, options, learn=learn, rows=rows)
        said.append(f"old fonts, {learn}: {changed(old, made, pairs.held)}")
        save_model(options.out / learn, made.generator, made.card, overwrite=True)
    rows["from scratch"] = from_scratch(recipe, pairs, options)
    print(markdown(rows, METRICS))
    print("\n".join(said))


def recipe_of(model: ModelPath, options: argparse.Namespace) -> Path:
    """The recipe by which the model was trained. Raises `I2IError` (E_RECIPE) where there is none to be found."""
    beside = [folder / "recipe.yaml" for folder in (model.run, model.path) if folder]
    places = [options.config] if options.config else beside
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise I2IError("E_RECIPE", "there is no recipe to train from scratch by; name one with -c FILE", path=places[0])
    return found.absolute()


def from_scratch(recipe: Path, pairs: Pairs, options: argparse.Namespace) -> dict[str, float]:
    """The metrics of a network that has seen nothing but the glyphs learnt from."""
    run = options.out / "scratch"
    source, font = (str(Path(file).absolute()) for file in (options.source, options.font))
    finish(
        run,
        "zi2zi",
        *("-c", str(recipe), "--data", str(Path(font).parent), "--data.source", source),
        *("--data.targets", json.dumps([font], ensure_ascii=False)),
        *("--data.characters", options.characters, "--data.test_characters", str(options.test_characters)),
        *("--data.train_characters", str(options.count), "--name", "scratch"),
        *("--steps", str(options.scratch_steps or options.steps), "--training.seed", str(options.seed)),
    )
    return compared(Model(*load_model(run / "model")), pairs.held)


if __name__ == "__main__":
    sys.exit(main())
