"""What tiles cost: the seam figure of a large picture, and the peak of memory on one of 100 megapixels.

    python tools/tiling.py seams [MODEL] [--size 3000] [--tile N]
    python tools/tiling.py memory [MODEL] [--size 10000] [--most MIB]

seams: translates a made-up picture whose left is dark and whose right is light, and prints how large the step is where
one tile goes over into the next, over the same elsewhere. *line*: from one column to the next, at the first and last
columns of tiles and in the middle between them. *level*: from the mean of 32 columns to that of the next 32, over
pieces of 32 rows, at the same places. Rows likewise. Both should be below 1.1. The row *each tile by itself* is what
the tiles would be without blending and, with instance norm, without the statistics of the whole.
memory: converts a square picture of --size in a process of its own, prints its peak, and exits with 1 above --most.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))

from memory_convert import peak_of

from i2i.images.tiles import starts
from i2i.loading import open_session, resolve
from i2i.runtime.tiling import Tiling
from i2i.runtime.translator import SIDE, Session, Translator

Picture = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.float64]

BLOCK = 32


def scenery(height: int, width: int, *, seed: int = 0) -> Picture:
    """Detail of all sizes, as landscapes have it, that grows lighter from left to right, uint8 [H, W, 3].

    Made in squares of 1,000 pixels that repeat, mirrored: noise of many megapixels would take longer than the tiles.
    """
    random, side = np.random.default_rng(seed), 1000
    pitch = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    detail = np.fft.irfft2(np.fft.rfft2(random.standard_normal((side, side))) / pitch, s=(side, side))
    detail = (25 * detail / detail.std()).astype(np.float32)
    rows = np.pad(detail, ((0, 0), (0, width - side)), mode="symmetric") if width > side else detail[:, :width]
    light = np.linspace(30, 190, width, dtype=np.float32)
    one = np.stack([(rows + light * share).clip(0, 255) for share in (0.7, 0.9, 1.1)], axis=2).astype(np.uint8)
    order = np.abs((np.arange(height) + side) % (2 * side) - side)
    return one[np.minimum(order, side - 1)]


def seams(picture: Picture, places: list[int]) -> tuple[float, float]:
    """The steps from column to column and from level to level at `places`, over the same elsewhere."""
    planes = picture.mean(axis=2)
    line = np.abs(np.diff(planes, axis=1)).mean(axis=0)  # [W - 1]: between column x and x + 1
    tall = len(planes) // BLOCK * BLOCK
    total = np.cumsum(planes[:tall].reshape(-1, BLOCK, planes.shape[1]).mean(axis=1), axis=1)
    mean = (total[:, BLOCK:] - total[:, :-BLOCK]) / BLOCK  # the 32 columns after x
    level = np.abs(mean[:, BLOCK:] - mean[:, :-BLOCK]).mean(axis=0)
    return _ratio(line, [place - 1 for place in places], 2), _ratio(level, [p - BLOCK - 1 for p in places], BLOCK)


def _ratio(steps: Planes, places: list[int], around: int) -> float:
    inside = [place for place in places if around <= place < len(steps) - around]
    elsewhere = np.ones(len(steps), bool)
    for place in inside:
        elsewhere[place - around : place + around + 1] = False
    return float(steps[inside].mean() / steps[elsewhere].mean())


def borders(length: int, tiling: Tiling, multiple: int) -> list[int]:
    """Where tiles of a canvas begin and end, and the middles between them."""
    begins = starts(length, side=tiling.side, overlap=tiling.overlap, multiple=multiple)
    ends = [begin + tiling.side for begin in begins[:-1]]
    return sorted({*begins[1:], *ends, *((a + b) // 2 for a, b in zip(begins[1:], ends, strict=True))})


def apart(session: Session, picture: Picture, side: int) -> Picture:
    """The picture in tiles that lie beside each other, each translated by itself."""
    rows = [
        np.concatenate(
            [
                session.run(picture[None, top : top + side, left : left + side])[0]
                for left in range(0, len(picture), side)
            ],
            axis=1,
        )
        for top in range(0, len(picture), side)
    ]
    return np.concatenate(rows)


def show_seams(model: str, size: int, tile: int) -> int:
    """Print the figures of tiles, of tiles by themselves and of the whole picture; 1 where a seam shows."""
    session = open_session(resolve(model), threads=1)
    sizing = session.card.sizing
    tiling = Tiling.of(sizing, tile)
    size = size // sizing.multiple * sizing.multiple  # the canvas is the picture: its grid is that of the figures
    picture = scenery(size, size)
    places = borders(size, tiling, sizing.multiple)
    tiled = Translator(session, tile=tiling.side).apply(picture)
    print(f"{session.card.name}: {size}x{size}, tiles of {tiling.side}, {tiling.overlap} shared")
    print("| | columns: line | level | rows: line | level |\n|---|---|---|---|---|")
    worst = _row("tiled", tiled, places)
    alone = list(range(tiling.side, size, tiling.side))
    _row("each tile by itself", apart(session, picture, tiling.side), alone)
    _row("the same places of the picture that went in", picture, places)
    return int(worst > 1.1)


def _row(name: str, picture: Picture, places: list[int]) -> float:
    figures = [*seams(picture, places), *seams(picture.swapaxes(0, 1), places)]
    print(f"| {name} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    return max(figures)


def show_memory(model: str, size: int, most: float | None) -> int:
    """Print the peak of converting one large picture, PNG to PNG."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "large.png")
        Image.fromarray(scenery(size, size)).save(source, compress_level=1)
        peak = peak_of([model, str(source), str(Path(name, "out.png"))]) / 1024
        megapixels = size * size / 1e6
        print(f"{model}, {megapixels:.0f} megapixels ({source.stat().st_size / 1e6:.0f} MB PNG): peak {peak:.0f} MiB")
    return int(most is not None and peak > most)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["seams", "memory"])
    parser.add_argument("model", metavar="MODEL", nargs="?", default="satellite2relief")
    parser.add_argument("--size", type=int, metavar="N", help="of the picture (default: 3000; memory: 10000)")
    parser.add_argument(
        "--tile", type=int, default=SIDE, metavar="N", help="seams: side of a tile (default: %(default)s)"
    )
    parser.add_argument("--most", type=float, metavar="MIB")
    options = parser.parse_args()
    if options.what == "seams":
        return show_seams(options.model, options.size or 3000, options.tile)
    return show_memory(options.model, options.size or 10_000, options.most)


if __name__ == "__main__":
    raise SystemExit(main())
