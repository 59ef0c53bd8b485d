"""Fetch open fonts from npm's @fontsource packages: `python tools/fonts.py OUT NAME [NAME ...] [--subset latin]`.

Writes OUT/NAME.woff2 (weight 400, upright, the characters of the subset) and OUT/NAME.LICENSE.txt. Names are those of
the packages, such as `lora` or `ma-shan-zheng`; subsets `latin`, `chinese-simplified` ... Needs npm. Fonts that are
there are not fetched again. Most of these fonts are under the SIL Open Font License: look at each licence.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from npm import content, opened

from i2i.files import publish_bytes


def fetch(name: str, out: Path, *, subset: str) -> None:
    """One font and its licence. Ends the program when there is no such package, or no such subset in it."""
    with opened(f"@fontsource/{name}") as archive:
        font = content(archive, f"files/{name}-{subset}-400-normal.woff2")
        licence = content(archive, "LICENSE")
    out.mkdir(parents=True, exist_ok=True)
    publish_bytes(out / f"{name}.LICENSE.txt", licence, overwrite=True)
    publish_bytes(out / f"{name}.woff2", font, overwrite=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--subset", default="latin", help="(default: %(default)s)")
    options = parser.parse_args()
    for name in options.names:
        if not (options.out / f"{name}.woff2").exists():
            fetch(name, options.out, subset=options.subset)
        print(options.out / f"{name}.woff2", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
