"""`i2i convert MODEL --text ... OUT`: characters written by a model of fonts, in place of a picture to translate."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

from i2i.cli.conditions import ALL
from i2i.cli.model_options import add_model_options, check_model_options
from i2i.errors import Exit, I2IError, printable

if TYPE_CHECKING:
    from i2i.data.typeface import Glyph
    from i2i.data.writing import Writer
    from i2i.loading import ModelPath

FRAME = 80  # milliseconds
HOLD = 800  # of the first and the last picture of an animation
STEPS = 9  # from one font to another
ANIMATED = (".gif", ".webp")


def asked_for(argv: list[str]) -> bool:
    """Whether a command line of `convert` is about text."""
    return any(word.partition("=")[0] in ("--text", "--charset") for word in argv)


def add_text_options(parser: argparse.ArgumentParser) -> None:
    """What says which characters are written, and with which source font."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--text", metavar="TEXT", help="write this on one strip, OUTPUT.png")
    what.add_argument("--charset", metavar="FILE", help="write each of these into OUTPUT/U+XXXX.png")
    parser.add_argument("--font", metavar="FILE", help="the source font, where it does not lie beside the model")
    parser.add_argument("--towards", metavar="NAME", help="with --text: mix the domain with this one, step by step")
    parser.add_argument("--count", type=int, metavar="N", help=f"steps of --towards (default: {STEPS})")


def refuse_options(arguments: argparse.Namespace) -> None:
    """Raise `I2IError` (E_USAGE) for options of text, where a picture is translated."""
    for name in ("font", "towards", "count"):
        if getattr(arguments, name) is not None:
            raise I2IError("E_USAGE", f"--{name} is about text; leave it out, or say what to write with --text")


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Write as asked; returns the exit code."""
    arguments = _arguments(parser, argv)
    check_model_options(arguments)
    output = Path(arguments.output)
    _check(arguments, output)
    writer = _writer(arguments)
    return (
        _write_strip(writer, arguments, output) if arguments.charset is None else _write_all(writer, arguments, output)
    )


def _arguments(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """The command line; it has no INPUT."""
    own = type(parser)(
        prog=parser.prog, description=parser.description, formatter_class=parser.formatter_class, allow_abbrev=False
    )
    own.add_argument("model", metavar="MODEL")
    own.add_argument("output", metavar="OUTPUT")
    own.add_argument("--domain", metavar="NAME", required=True, help=f"which font to write, or `{ALL}`")
    own.add_argument("--overwrite", action="store_true")
    add_text_options(own)
    add_model_options(own)
    arguments = own.parse_args(argv)
    arguments.count = STEPS if arguments.count is None else arguments.count
    return arguments


def _check(arguments: argparse.Namespace, output: Path) -> None:
    """What can be said against the options without the model."""
    if arguments.text is not None and not arguments.text.strip():
        raise I2IError("E_USAGE", "--text has no characters; say what to write")
    sheet = (".png", *(ANIMATED if arguments.towards else ()))
    if arguments.text is not None and output.suffix.lower() not in sheet:
        raise I2IError("E_USAGE", f"--text makes one picture; end OUTPUT in {' or '.join(sheet)}", path=output)
    if arguments.towards and (arguments.text is None or arguments.domain == ALL or arguments.count < 2):
        raise I2IError("E_USAGE", "--towards needs --text, one --domain to start from, and a --count from 2 on")
    if arguments.text is not None and output.exists() and not arguments.overwrite:
        raise I2IError("E_EXISTS", "is there already; use --overwrite, or choose another name", path=output)


def _writer(arguments: argparse.Namespace) -> Writer:
    from i2i.data.writing import Writer, check_style, drawing_of
    from i2i.loading import open_model, resolve

    model = resolve(arguments.model)
    translator = open_model(model, provider=arguments.provider, threads=arguments.threads)
    drawing = drawing_of(translator)
    writer = Writer(translator, arguments.font or _source_font(model, drawing.file, drawing.font))
    for name in (arguments.domain, arguments.towards):
        if name not in (None, ALL):
            check_style(writer, name)
    return writer


def _source_font(model: ModelPath, file: str, name: str) -> Path:
    """The font that the model's source was drawn with: beside the model, or where its run had its data."""
    folder = model.path if model.kind == "weights" else model.path.parent
    places = [folder, *([model.run, *_data_root(model.run)] if model.run else [])]
    for place in places:
        if (place / file.partition("#")[0]).is_file():
            return place / file
    message = f"writing needs the font that the model starts from, {name} ({file}), which is not beside the model"
    raise I2IError("E_USAGE", f"{message}; name it with --font FILE", path=folder)


def _data_root(run: Path) -> list[Path]:
    from i2i.recipes.merging import read

    try:
        return [Path(read(run / "recipe.yaml")["data"]["root"])]
    except (I2IError, KeyError, TypeError):
        return []


def _write_strip(writer: Writer, arguments: argparse.Namespace, output: Path) -> int:
    """One picture of a text: a line, a line for each font, or the way from one font to another."""
    from i2i.data.writing import between
    from i2i.files import publish_bytes
    from i2i.images.codec import encode

    if arguments.towards is None:
        pixels = writer.sheet(arguments.text, writer.styles if arguments.domain == ALL else [arguments.domain])
        data = encode(pixels[:, :, None], format="png")
    else:
        frames = [
            writer.strip(arguments.text, mix) for mix in between(arguments.domain, arguments.towards, arguments.count)
        ]
        data = _animation(frames, output) if output.suffix.lower() in ANIMATED else _way(frames)
    output.parent.mkdir(parents=True, exist_ok=True)
    publish_bytes(output, data, overwrite=arguments.overwrite)
    print(printable(output))
    return int(Exit.DONE)


def _way(frames: list[Glyph]) -> bytes:
    """The steps as one picture: of a single character in a row, of a text below each other."""
    import numpy as np

    from i2i.images.codec import encode

    single = frames[0].shape[0] == frames[0].shape[1]
    return encode(np.concatenate(frames, axis=1 if single else 0)[:, :, None], format="png")


def _animation(frames: list[Glyph], output: Path) -> bytes:
    """The steps there and back, for ever."""
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in (*frames, *frames[-2:0:-1])]
    times = [HOLD if at in (0, len(frames) - 1) else FRAME for at in range(len(pictures))]
    file = io.BytesIO()
    kind = output.suffix.lower().removeprefix(".")
    lossless = {"lossless": True} if kind == "webp" else {}
    pictures[0].save(file, kind, save_all=True, append_images=pictures[1:], duration=times, loop=0, **lossless)
    return file.getvalue()


def _write_all(writer: Writer, arguments: argparse.Namespace, output: Path) -> int:
    """A picture for each character, in a folder for each font where all are asked for."""
    from i2i.data.charsets import characters
    from i2i.runtime.conditions import domain_folders

    wanted = characters(arguments.charset)
    lacking = writer.missing(wanted)
    text = "".join(c for c in wanted if c not in lacking)
    if arguments.domain == ALL:
        folders = {style: output / folder for style, folder in domain_folders(writer.styles).items()}
    else:
        folders = {arguments.domain: output}
    _refuse_existing(list(folders.values()), text, overwrite=arguments.overwrite)
    for style, folder in folders.items():
        _write_folder(writer, text, style, folder, overwrite=arguments.overwrite)
    print(f"{len(text) * len(folders)} glyphs -> {printable(output)}")
    if lacking:
        print(f"the source font has no {' '.join(lacking)}: {len(lacking)} characters left out")
    return int(Exit.ITEMS_FAILED if lacking else Exit.DONE)


def _refuse_existing(folders: list[Path], text: str, *, overwrite: bool) -> None:
    from i2i.data.charsets import code_point

    there = [folder / f"{code_point(c)}.png" for folder in folders for c in text]
    there = [path for path in there if path.exists()]
    if there and not overwrite:
        message = f"is there already, one of {len(there)}; use --overwrite, or choose another folder"
        raise I2IError("E_EXISTS", message, path=there[0])


def _write_folder(writer: Writer, text: str, style: str, folder: Path, *, overwrite: bool) -> None:
    from i2i.data.charsets import code_point
    from i2i.data.writing import BATCH
    from i2i.files import lock, publish_bytes, sweep
    from i2i.images.codec import encode

    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        sweep(folder)
        for start in range(0, len(text), BATCH):
            part = text[start : start + BATCH]
            for character, pixels in zip(part, writer.glyphs(part, style), strict=True):
                path = folder / f"{code_point(character)}.png"
                publish_bytes(path, encode(pixels[:, :, None], format="png"), overwrite=overwrite)
