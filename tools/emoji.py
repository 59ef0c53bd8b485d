"""Draw emoji in several styles.

usage: python tools/emoji.py OUT STYLE STYLE ... [--unpaired | --pairs] [--centred] [--size 64] [--train-size N]

Styles: line (black lines, Microsoft's Fluent high contrast), fluent (Fluent flat; both MIT), noto (Google, Apache-2.0),
twemoji (CC-BY-4.0); from the npm packages @iconify-json/... . Only code points that all four have are drawn, on white,
one PNG for each, named by its code points. Of twenty bases 16 are train, one is val, three are test; what
differs from a base in skin tone, hair, gender or age alone goes with it, and a drawing that is also in train is left
out of the others.

(neither)    OUT/{train,val,test}/<style>/: every style draws every code point
--unpaired   OUT/train/<style>/: each code point in one of the styles alone, so that nothing is a pair; val and test
             as above, so that translations can be compared with what the other style draws
--pairs      as without, but only code points whose silhouettes agree in the first two styles (intersection over
             union at least 0.8): the same drawing, in line and fluent

--train-size: train alone is drawn so large; twice --size keeps drawings sharp that are turned and zoomed in training.
--centred: each drawing is brought to one size, in the middle, with a margin of a sixteenth: every style has margins of
its own, which tell it apart more easily than how it draws does.

Needs npm, and the extras `drawings` and `train`.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from npm import content, opened
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes

from i2i.data.sampler import order

PACKAGES = {"line": "fluent-emoji-high-contrast", "fluent": "fluent-emoji-flat", "noto": "noto", "twemoji": "twemoji"}
LICENCES = {"line": "MIT", "fluent": "MIT", "noto": "Apache-2.0", "twemoji": "CC-BY-4.0"}
SAME = 0.8  # intersection over union of the silhouettes
DETAIL = 4  # how many times larger a drawing is drawn before it is brought to its size
SPLITS = ("train",) * 16 + ("val",) + ("test",) * 3

# Code points that tell variants of one base apart: presentation, joiner, genders, the side it looks to, skin tones and
# hair; and who it is.
_MARKS = {0xFE0F, 0x200D, 0x2640, 0x2642, 0x27A1, *range(0x1F3FB, 0x1F400), *range(0x1F9B0, 0x1F9B4)}
_PEOPLE = {0x1F466, 0x1F467, 0x1F468, 0x1F469, 0x1F474, 0x1F475, 0x1F9D1, 0x1F9D2, 0x1F9D3}


class Style:
    """The drawings of one package."""

    def __init__(self, name: str) -> None:
        with opened(f"@iconify-json/{PACKAGES[name]}") as archive:
            icons = json.loads(content(archive, "icons.json"))
            self.names: dict[str, str] = json.loads(content(archive, "chars.json"))
        self._icons: dict[str, Any] = icons["icons"]
        self._aliases: dict[str, Any] = icons.get("aliases", {})
        self._size = icons["width"], icons["height"]

    def drawn(self, code: str, size: int) -> Image.Image:
        """One emoji, RGBA, `size` px wide and high."""
        import resvg_py

        name = self.names[code]
        while name in self._aliases:
            name = self._aliases[name]["parent"]
        icon = self._icons[name]
        width, height = icon.get("width", self._size[0]), icon.get("height", self._size[1])
        body = icon["body"].replace("currentColor", "#000")
        text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'
        picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, width=size, height=size))))
        square = Image.new("RGBA", (size, size))
        square.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
        return square


def base(code: str) -> str:
    """What all variants of an emoji have in common: `1f469-200d-1f33e` (woman farmer) -> `1f9d1-1f33e`."""
    points = [int(point, 16) for point in code.split("-")]
    kept = [0x1F9D1 if point in _PEOPLE else point for point in points if point not in _MARKS]
    return "-".join(f"{point:x}" for point in kept or points)


def dealt(codes: Sequence[str], *, seed: int, hands: int) -> dict[str, int]:
    """Deal the bases out evenly in an order that depends on the seed and on them alone: each code point's hand."""
    bases = sorted({base(code) for code in codes})
    places = {bases[index]: place for place, index in enumerate(order(seed, 0, len(bases)))}
    return {code: places[base(code)] % hands for code in codes}


def silhouette(picture: Image.Image) -> NDArray[np.bool_]:
    """Where a drawing is, what its lines enclose included; (H, W)."""
    filled: NDArray[np.bool_] = binary_fill_holes(np.asarray(picture)[..., 3] > 127)
    return filled


def agree(first: Image.Image, second: Image.Image) -> bool:
    """Whether two drawings cover the same pixels."""
    one, other = silhouette(first), silhouette(second)
    return bool((one & other).sum() >= SAME * (one | other).sum())


def on_white(picture: Image.Image) -> Image.Image:
    """The same without transparency."""
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    return paper.convert("RGB")


def centred(picture: Image.Image, size: int) -> Image.Image:
    """A drawing, RGBA, cut to what is visible of it, as large as a square of `size` takes with its margins."""
    box = picture.getchannel("A").getbbox()
    if box is None:
        return picture.resize((size, size))
    cut, room = picture.crop(box), size - 2 * (size // 16)
    scale = room / max(cut.size)
    small = cut.resize([max(1, round(side * scale)) for side in cut.size], Image.Resampling.BOX)
    square = Image.new("RGBA", (size, size))
    square.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
    return square


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("styles", nargs="+", choices=list(PACKAGES), metavar="STYLE")
    parser.add_argument("--size", type=int, default=64, help="px (default: %(default)s)")
    parser.add_argument("--train-size", type=int, help="px of train alone, for trainings that turn and zoom")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--unpaired", action="store_true", help="train: each code point in one style")
    kind.add_argument("--pairs", action="store_true", help="only where the first two styles agree")
    parser.add_argument("--centred", action="store_true", help="all in one size, in the middle")
    options = parser.parse_args()
    if options.out.exists():
        raise SystemExit(f"{options.out} exists; choose another folder")
    if options.pairs and len(options.styles) < 2:
        raise SystemExit("--pairs compares two styles: name them")

    every = {name: Style(name) for name in PACKAGES}
    codes = sorted(set.intersection(*(set(style.names) for style in every.values())))
    splits = {code: SPLITS[hand] for code, hand in dealt(codes, seed=0, hands=len(SPLITS)).items()}
    owners = dealt(codes, seed=1, hands=len(options.styles))

    def draw(code: str, size: int) -> dict[str, Image.Image]:
        """An emoji in every style that was asked for."""
        if not options.centred:
            return {name: every[name].drawn(code, size) for name in options.styles}
        large = {name: every[name].drawn(code, DETAIL * size) for name in options.styles}
        return {name: centred(drawing, size) for name, drawing in large.items()}

    counts = dict.fromkeys(("train", "val", "test"), 0)
    taught: set[bytes] = set()
    for code in sorted(codes, key=lambda code: splits[code] != "train"):
        drawings = draw(code, options.size)
        if options.pairs and not agree(*list(drawings.values())[:2]):
            continue
        seen = {drawing.tobytes() for drawing in drawings.values()}
        if splits[code] == "train":
            taught |= seen
            drawings = draw(code, options.train_size or options.size)
        elif taught & seen:
            continue
        if options.unpaired and splits[code] == "train":
            chosen = options.styles[owners[code]]
            drawings = {chosen: drawings[chosen]}
        for name, drawing in drawings.items():
            folder = options.out / splits[code] / name
            folder.mkdir(parents=True, exist_ok=True)
            on_white(drawing).save(folder / f"{code}.png")
            counts[splits[code]] += 1
    print(", ".join(f"{split} {count}" for split, count in counts.items()), "pictures in", options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
