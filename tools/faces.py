"""Draw faces with known attributes, and what each becomes: `python tools/faces.py OUT [--count 3000] [--size 64]`.

The faces are avataaars (Pablo Stanley, free for personal and commercial use, https://avataaars.com/), drawn by DiceBear
(npm packages @dicebear/core and @dicebear/collection, MIT; Node.js runs them). A seed decides everything but the
attributes: skin, clothes, eyes, eyebrows, hair. The attributes are glasses, smile, beard, and of those with visible
hair one of black_hair, fair_hair, red_hair, grey_hair; where all colours of hair give the same pixels (under a hat)
none of them is on.

OUT/{train,val,test}/00000.png ...   on white; of twenty seeds 16 are train, one is val, three are test
OUT/list_attr.txt                    the list for `--data.type attributes`, in CelebA's format
OUT/truth/<attribute>/00000.png      test faces again, that attribute switched and nothing else, as they would be drawn:
                                     on where it was off and off where it was on, a colour of hair on where another was

Every attribute has one form (the same glasses, the same beard for all), so that what a face becomes is decided by the
face alone. Needs Node.js with npm, and the extras `drawings` and `train`.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from i2i.data.sampler import order

HAIR = {"black_hair": "2c1b18", "fair_hair": "e3c26b", "red_hair": "c93305", "grey_hair": "cfcfd4"}
PLAIN = ("glasses", "smile", "beard")
ATTRIBUTES = (*PLAIN, *HAIR)
SPLITS = ("train",) * 16 + ("val",) + ("test",) * 3
PACKAGES = ("@dicebear/core@9.4.2", "@dicebear/collection@9.4.2")

SKIN = ("614335", "ae5d29", "d08b5b", "edb98a", "ffdbb4")
CLOTHES = ("262e33", "65c9ff", "5199e4", "25557c", "e6e6e6", "929598", "a7ffc4", "ffafb9", "ffffb1", "ff488e", "ff5c5c")
CLOTHING = ("blazerAndShirt", "collarAndSweater", "hoodie", "overall", "shirtCrewNeck", "shirtScoopNeck", "shirtVNeck")
EYES = ("default", "happy", "side", "squint", "surprised", "wink")
EYEBROWS = ("default", "defaultNatural", "flatNatural", "raisedExcited", "raisedExcitedNatural", "upDown")
HATS = ("hat", "hijab", "turban", "winterHat02", "winterHat04")
TOPS = (
    *("bigHair", "bob", "bun", "curly", "curvy", "dreads01", "frizzle", "fro", "longButNotTooLong", "miaWallace"),
    *("shaggy", "shaggyMullet", "shavedSides", "shortCurly", "shortFlat", "shortRound", "shortWaved", "sides"),
    *("straight01", "straight02", "straightAndStrand", "theCaesar", "theCaesarAndSidePart"),
)
HATS_IN_A_HUNDRED = 12

# What Node runs: options in, drawings out, a line each.
SCRIPT = """
import { createInterface } from 'node:readline';
import { createAvatar } from '@dicebear/core';
import { avataaars } from '@dicebear/collection';
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(createAvatar(avataaars, JSON.parse(line)).toString()) + '\\n');
}
"""


class Face(NamedTuple):
    """One seed's face: what DiceBear is told of it beside its attributes, and those that are on."""

    options: dict[str, object]
    on: frozenset[str]

    def switched(self, attribute: str) -> Face:
        """The same face with one attribute switched; a colour of hair takes the place of another."""
        if attribute in HAIR:
            return self._replace(on=self.on - set(HAIR) | {attribute})
        return self._replace(on=self.on ^ {attribute})

    def told(self) -> dict[str, object]:
        """Everything that DiceBear is told."""
        hair = next(name for name in HAIR if name in self.on)
        return {
            **self.options,
            "scale": 125,  # less of the shoulders
            "translateY": 8,
            "hairColor": [HAIR[hair]],
            "accessories": ["prescription02"],
            "accessoriesColor": ["262e33"],
            "accessoriesProbability": 100 * ("glasses" in self.on),
            "mouth": ["smile" if "smile" in self.on else "serious"],
            "facialHair": ["beardMedium"],
            "facialHairColor": ["4a312c"],
            "facialHairProbability": 100 * ("beard" in self.on),
        }


def face(seed: int) -> Face:
    """The face of a seed; half of them have glasses, half a smile, half a beard."""
    draws = np.random.default_rng([seed, 0])

    def one(names: Sequence[str]) -> list[str]:
        return [names[int(draws.integers(len(names)))]]

    options: dict[str, object] = {
        "seed": str(seed),
        "skinColor": one(SKIN),
        "clothing": one(CLOTHING),
        "clothesColor": one(CLOTHES),
        "eyes": one(EYES),
        "eyebrows": one(EYEBROWS),
        "top": one(HATS if draws.integers(100) < HATS_IN_A_HUNDRED else TOPS),
        "hatColor": one(CLOTHES),
        "topProbability": 100,
    }
    hair = one(tuple(HAIR))
    return Face(options, frozenset([*hair, *(name for name in PLAIN if draws.integers(2))]))


def drawings(faces: Iterable[Face]) -> Iterator[str]:
    """The faces as SVG, in order. Ends the program when Node or npm fails."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise SystemExit("npm is not installed; it comes with Node.js")
    with tempfile.TemporaryDirectory() as scratch:
        words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES]
        installed = subprocess.run(words, cwd=scratch, capture_output=True, text=True, check=False)
        if installed.returncode:
            raise SystemExit(f"npm cannot fetch {' '.join(PACKAGES)}: {installed.stderr.strip()[:500]}")
        Path(scratch, "draw.mjs").write_text(SCRIPT, encoding="utf-8")
        lines = "".join(json.dumps(one.told()) + "\n" for one in faces)
        drawn = subprocess.run(
            ["node", "draw.mjs"], cwd=scratch, input=lines, capture_output=True, text=True, check=False
        )
        if drawn.returncode:
            raise SystemExit(f"node cannot draw: {drawn.stderr.strip()[:500]}")
    # Not splitlines, which knows more ends of lines than JSON does.
    yield from map(json.loads, filter(None, drawn.stdout.split("\n")))


def rendered(drawing: str, size: int) -> Image.Image:
    """A drawing on white, `size` px wide and high."""
    import resvg_py

    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=drawing, width=size, height=size))))
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("RGB")


def splits(count: int) -> list[str]:
    """Which split each seed belongs to."""
    hands = np.empty(count, np.int64)
    hands[np.array([*order(0, 0, count)])] = np.arange(count)
    return [SPLITS[hand % len(SPLITS)] for hand in hands]


def drawn(faces: Sequence[Face], whole: Sequence[bool], size: int) -> list[dict[str, Image.Image]]:
    """Each face as it is, under "", and switched, by the attribute's name: the `whole` ones with every attribute that
    can be, the others with another colour of hair, to see whether it shows.
    """
    variants = [_variants(face, whole=every) for face, every in zip(faces, whole, strict=True)]
    wanted = [(number, name, one) for number, made in enumerate(variants) for name, one in made.items()]
    found: list[dict[str, Image.Image]] = [{} for _ in faces]
    for (number, name, _), drawing in zip(wanted, drawings(one for *_, one in wanted), strict=True):
        found[number][name] = rendered(drawing, size)
    return found


def _variants(one: Face, *, whole: bool) -> dict[str, Face]:
    colours = [name for name in HAIR if name not in one.on]
    return {"": one} | {name: one.switched(name) for name in ((*PLAIN, *colours) if whole else colours[:1])}


def visible(one: Face, pictures: dict[str, Image.Image]) -> frozenset[str]:
    """The attributes that are on, without those that change no pixel when they are switched."""
    same = {name for name, picture in pictures.items() if name and picture.tobytes() == pictures[""].tobytes()}
    hidden = {*HAIR} if not same.isdisjoint(HAIR) else set()
    return one.on - same - hidden


def write(out: Path, faces: Sequence[Face], *, size: int) -> dict[str, int]:
    """Write everything; how many faces each split has."""
    rows, counts, dealt = [], dict.fromkeys(("train", "val", "test"), 0), splits(len(faces))
    made = drawn(faces, [split == "test" for split in dealt], size)
    for number, (one, pictures, split) in enumerate(zip(faces, made, dealt, strict=True)):
        name, on = f"{number:05d}.png", visible(one, pictures)
        truths = {key: new for key, new in pictures.items() if key and new.tobytes() != pictures[""].tobytes()}
        for folder, picture in {split: pictures[""], **_truths(truths, split)}.items():
            (out / folder).mkdir(parents=True, exist_ok=True)
            picture.save(out / folder / name)
        rows.append(f"{split}/{name} " + " ".join("1" if attribute in on else "-1" for attribute in ATTRIBUTES))
        counts[split] += 1
    head = [str(len(rows)), " ".join(ATTRIBUTES)]
    (out / "list_attr.txt").write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    return counts


def _truths(truths: dict[str, Image.Image], split: str) -> dict[str, Image.Image]:
    return {f"truth/{name}": picture for name, picture in truths.items()} if split == "test" else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--count", type=int, default=3000, metavar="N", help="seeds (default: %(default)s)")
    parser.add_argument("--size", type=int, default=64, help="px (default: %(default)s)")
    options = parser.parse_args()
    if options.out.exists():
        raise SystemExit(f"{options.out} exists; choose another folder")
    if options.count < len(SPLITS):
        raise SystemExit(f"{options.count} seeds do not fill every split; take {len(SPLITS)} at least")
    counts = write(options.out, [face(seed) for seed in range(options.count)], size=options.size)
    print(", ".join(f"{split} {count}" for split, count in counts.items()), "faces in", options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
