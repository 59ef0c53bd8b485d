"""Draw digits whose factors are known: `python tools/digits.py OUT [--size 32] [--count N] [--fonts FILE ...]`.

Grey pictures, white ink on black, OUT/{train,val,test}/<digit>/NNNNN.png, and OUT/factors.csv with a row for each:
split, file (below the split), digit, slant, weight, font. They tell whether a generator that was told the digit obeys,
and whether one that was told nothing has found the slant and the weight by itself (InfoGAN, Chen et al. 2016, arXiv
1606.03657, section 7.2).

slant    -25 to 25 degrees: the digit is sheared, to the right where positive
weight   0 to 1: every stroke is drawn thicker on both sides, by up to 5 % of the digit's height at 1; the height
         stays the same, as in a family of fonts
Scale (85 to 100 %) and place (up to 2 px of 32 either way) differ too and are not written down. Every digit comes as
often as the others; all else is drawn evenly, and a picture depends on (seed, number) alone. It is drawn at four times
the size and reduced; no digit touches the border. Of the pictures a tenth is val, a tenth test.

The font is the one that Pillow brings (Aileron Regular, CC0); --fonts takes .ttf and .otf files in its place, of which
each picture draws one.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from i2i.data.sampler import rng

FINE = 4  # how many times larger it is drawn
MOST_SLANT = 25.0
MOST_STROKE = 0.05  # added to either side of a stroke at weight 1, in heights of the digit
HEIGHT = 0.72  # of a digit, in sizes of the picture
SCALES = (0.85, 1.0)
MOST_SHIFT = 1 / 16  # in sizes of the picture
COLUMNS = ("split", "file", "digit", "slant", "weight", "font")

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True)
class Factors:
    """What a picture shows: slant in degrees, weight in 0..1, scale in 0..1, shift (right, down) in sizes of the
    picture, and which of the fonts.
    """

    digit: int
    slant: float = 0.0
    weight: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    font: int = 0


def drawn(seed: int, number: int, *, fonts: int = 1) -> Factors:
    """The factors of one picture, in one of so many fonts."""
    generator = rng(seed, number)
    right, down = generator.uniform(-MOST_SHIFT, MOST_SHIFT, 2)
    return Factors(
        digit=number % 10,
        slant=generator.uniform(-MOST_SLANT, MOST_SLANT),
        weight=generator.uniform(),
        scale=generator.uniform(*SCALES),
        shift=(float(right), float(down)),
        font=int(generator.uniform() * fonts),
    )


def render(factors: Factors, font: Font, *, size: int) -> Image.Image:
    """The picture, grey, size x size. The font's own size is to be FINE * size or about that."""
    ink = _sheared(factors, font, height=HEIGHT * size * FINE * factors.scale)
    room = (size - 2) * FINE
    ink.thumbnail((room, room), Image.Resampling.LANCZOS)  # nothing happens to what fits
    sheet = Image.new("L", (size * FINE, size * FINE))
    sheet.paste(ink, (_place(ink.width, factors.shift[0], size), _place(ink.height, factors.shift[1], size)))
    return sheet.reduce(FINE)


def _place(length: int, shift: float, size: int) -> int:
    """Where ink of that length starts on the fine sheet: in the middle, shifted, and a pixel off the border."""
    start = round((size * FINE - length) / 2 + shift * size * FINE)
    return min(max(start, FINE), (size - 1) * FINE - length)


def _sheared(factors: Factors, font: Font, *, height: float) -> Image.Image:
    """The digit of that height, cut to its ink."""
    text, plain = str(factors.digit), tall(font)
    stroke = factors.weight * MOST_STROKE * plain
    side = math.ceil(3 * plain)
    sheet = Image.new("L", (side, side))
    ImageDraw.Draw(sheet).text((side / 2, side / 2), text, font=font, fill=255, anchor="mm", stroke_width=stroke)
    # From a place on the new sheet to the one on the old, both seen from the middle: x / k + t y / k, y / k.
    k, t = height / (plain + 2 * stroke), math.tan(math.radians(factors.slant))
    middle = side / 2
    matrix = (1 / k, t / k, middle - middle / k - t * middle / k, 0, 1 / k, middle - middle / k)
    leaning = sheet.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return leaning.crop(leaning.getbbox())


def tall(font: Font) -> float:
    """The height of the font's digits, in pixels."""
    _, top, _, bottom = font.getbbox("0123456789")
    return bottom - top


def name(font: Font) -> str:
    """Family and style."""
    return " ".join(word for word in font.getname() if word)


def draws(font: Font, text: str) -> bool:
    """Whether a font has ink for a character, other than that for characters it does not have."""
    shape, absent = font.getmask(text), font.getmask("\U0010ffff")
    return shape.getbbox() is not None and (shape.size, bytes(shape)) != (absent.size, bytes(absent))


def load(files: Sequence[str], *, size: int) -> list[Font]:
    """The fonts in `files`, or Pillow's own where there are none, in the size to draw with."""
    if files:
        fonts = [ImageFont.truetype(file, size * FINE) for file in files]
        for file, given in zip(files, fonts, strict=True):
            if not all(draws(given, digit) for digit in "0123456789"):
                raise SystemExit(f"{file} does not have all digits; name another font")
        return fonts
    font = ImageFont.load_default(size * FINE)
    assert isinstance(font, Font)  # which is what a Pillow with FreeType gives
    return [font]


def split_of(number: int) -> str:
    """Train, val or test, ten pictures at a time, so that every split has all digits."""
    return {8: "val", 9: "test"}.get(number // 10 % 10, "train")


def build(out: Path, *, size: int, count: int, files: Sequence[str] = (), seed: int = 0) -> None:
    """Write the splits and the table below `out` and print what each holds."""
    fonts, counts = load(files, size=size), Counter[str]()
    out.mkdir(parents=True, exist_ok=True)
    with (out / "factors.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for number in range(count):
            split, factors = split_of(number), drawn(seed, number, fonts=len(fonts))
            font = fonts[factors.font]
            path = Path(str(factors.digit), f"{number:05d}.png")
            (out / split / path.parent).mkdir(parents=True, exist_ok=True)
            render(factors, font, size=size).save(out / split / path)
            counts[split] += 1
            table.writerow(
                [split, path.as_posix(), factors.digit, f"{factors.slant:.3f}", f"{factors.weight:.4f}", name(font)]
            )
    for split, many in counts.items():
        print(f"{split:5} {many} pictures of {size} px")


def main(argv: list[str] | None = None) -> None:
    """Read the command line and draw the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write; must not exist or be empty")
    parser.add_argument("--size", type=int, default=32, help="width and height in pixels")
    parser.add_argument("--count", type=int, default=20_000, help="pictures in all splits")
    parser.add_argument("--fonts", nargs="+", default=[], metavar="FILE", help="fonts to draw with")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    if arguments.out.exists() and any(arguments.out.iterdir()):
        parser.error(f"{arguments.out} is not empty; name a new folder")
    if arguments.size < 8 or arguments.count < 100:
        parser.error("--size is 8 at least, and --count 100, which is one picture of each digit for val and test")
    build(arguments.out, size=arguments.size, count=arguments.count, files=arguments.fonts, seed=arguments.seed)


if __name__ == "__main__":
    main()
