"""Write scikit-learn's handwritten digits as a folder of domains: `python tools/sklearn_digits.py OUT`.

1,797 grey pictures of 8 x 8 px, OUT/{train,test}/<digit>/NNNN.png, white ink on black: the values 0..16 become 0..255,
and NNNN is the picture's place in scikit-learn's order. About 500 of them (the same share of each digit, drawn with a
fixed seed) are `test`, the rest `train`. Writers are in both, since the set does not say who wrote what.

    i2i info OUT
    i2i train cgan --data OUT --data.type domains ...

Needs scikit-learn, which holds the data: nothing is downloaded. They are the test part of "Optical Recognition of
Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository 1998, doi:10.24432/C50P49), licence
CC BY 4.0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2i.data.sampler import order

TEST_SHARE = 500 / 1797
SEED = 0
MOST = 16  # the value of full ink


def load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The pictures, uint8 (1797, 8, 8), and what they show, 0..9."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.round(digits.images * (255 / MOST)).astype(np.uint8), digits.target.astype(np.int64)


def tested(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pictures are for testing: of each digit the same share, drawn with a fixed seed."""
    chosen = np.zeros(len(labels), bool)
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        chosen[places[order(SEED, digit, len(places))[: round(TEST_SHARE * len(places))]]] = True
    return chosen


def build(out: Path) -> None:
    """Write both splits below `out` and print what each holds."""
    pictures, labels = load()
    splits = np.where(tested(labels), "test", "train")
    for number, (picture, digit, split) in enumerate(zip(pictures, labels, splits, strict=True)):
        folder = out / str(split) / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number:04d}.png")
    for split in ("train", "test"):
        print(f"{split:5} {(splits == split).sum()} pictures of 8 px")


def main(argv: list[str] | None = None) -> None:
    """Read the command line and write the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write; must not exist or be empty")
    arguments = parser.parse_args(argv)
    if arguments.out.exists() and any(arguments.out.iterdir()):
        parser.error(f"{arguments.out} is not empty; name a new folder")
    build(arguments.out)


if __name__ == "__main__":
    main()
