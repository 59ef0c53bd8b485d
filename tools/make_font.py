"""A font file written by a zi2zi model: `python tools/make_font.py MODEL OUT.ttf --domain "Ma Shan Zheng" --font FILE`.

MODEL is a run folder, a model folder, an .onnx file or a name under pretrained/. `--font` is the source font, whose
characters are translated and whose metrics are taken over; `--charset` says which characters (gb2312-1, a file, or the
characters themselves). Those that the source font lacks are left out and counted. `--mix NAME=WEIGHT` may be given
several times in place of --domain. Outlines follow the pictures: the larger the model's size the finer the font.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from i2i import loading
from i2i.data.charsets import characters
from i2i.data.font_file import Metrics, font_file
from i2i.data.writing import Style, Writer, drawing_of
from i2i.errors import I2IError
from i2i.files import publish_bytes


def main(argv: list[str] | None = None) -> int:
    options = parsed(argv)
    try:
        run(options)
    except I2IError as error:
        print(f"error [{error.code}] {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


def parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("out", type=Path, metavar="OUT.ttf")
    style = parser.add_mutually_exclusive_group(required=True)
    style.add_argument("--domain", metavar="NAME")
    style.add_argument("--mix", metavar="NAME=WEIGHT", action="append", default=[])
    parser.add_argument("--font", required=True, metavar="FILE")
    parser.add_argument("--charset", default="gb2312-1", help="(default: %(default)s)")
    parser.add_argument("--family", help="the new font's name (default: the domain's and the model's)")
    parser.add_argument("--overwrite", action="store_true")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> None:
    if options.out.exists() and not options.overwrite:
        raise I2IError("E_EXISTS", "is there already; use --overwrite, or choose another name", path=options.out)
    translator = loading.open_model(loading.resolve(options.model))
    writer = Writer(translator, options.font)
    style = options.domain or mixture(options.mix)
    wanted = characters(options.charset)
    lacking = writer.missing(wanted)
    text = "".join(c for c in wanted if c not in lacking)
    pictures = dict(zip(text, writer.glyphs(text, style), strict=True))
    family = options.family or f"{options.domain or 'Mixture'} by {translator.card.name}"
    metrics = Metrics.of(options.font, text)
    data = font_file(pictures, family=family, metrics=metrics, placing=drawing_of(translator))
    publish_bytes(options.out, data, overwrite=options.overwrite)
    left_out = f"; {len(lacking)} that the source font lacks are left out" if lacking else ""
    print(f"{family}: {len(text)} characters, {len(data) / 1e6:.1f} MB -> {options.out}{left_out}")


def mixture(words: list[str]) -> Style:
    """The weights of `NAME=WEIGHT` words. Raises `I2IError` (E_USAGE)."""
    weights = {}
    for word in words:
        name, _, value = word.rpartition("=")
        try:
            weights[name] = float(value)
        except ValueError:
            raise I2IError("E_USAGE", f"--mix {word}; expected NAME=WEIGHT, as in --mix 'Long Cang=0.5'") from None
    return weights


if __name__ == "__main__":
    sys.exit(main())
