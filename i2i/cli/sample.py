"""Make pictures from noise with a model that was trained to (presets gan, dcgan ...).

MODEL is a run folder, a model folder, an .onnx file, or a name under pretrained/. OUT that ends in .png is one sheet of
all pictures, any other OUT a folder of 00000.png, 00001.png ... The same seed gives the same pictures, and more of them
begin with the fewer.

exit codes: 0 all done, 2 usage, 3 refused before work, 4 disk, memory or lock, 130 and 143 stopped by a signal
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from i2i.cli.convert import leave
from i2i.errors import Exit, I2IError, printable

if TYPE_CHECKING:
    from i2i.runtime.sampler import Latents, Sampler


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("output", metavar="OUT", help="NAME.png for one sheet, else a folder")
    parser.add_argument("--count", type=int, metavar="N", default=16, help="how many pictures (default: %(default)s)")
    parser.add_argument("--seed", type=int, metavar="S", default=0, help="which noise (default: %(default)s)")
    parser.add_argument(
        "--interpolate",
        action="store_true",
        help="N pictures on the way from one point of the noise to another (spherical); a sheet of them is one row",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    parser.add_argument(
        "--provider",
        choices=["auto", "cpu", "cuda"],
        default="auto",
        help="where the model runs; auto: CUDA if it is there (not measured by us), else the CPU",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the model itself (default: all cores)")


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Sample as asked; returns the exit code."""
    arguments = parser.parse_args(argv)
    if arguments.threads is not None and arguments.threads < 1:
        raise I2IError("E_USAGE", f"{arguments.threads} threads; at least 1 is needed")
    if arguments.count < 1 + arguments.interpolate:
        least = "a way has at least 2" if arguments.interpolate else "at least 1 is needed"
        raise I2IError("E_USAGE", f"--count {arguments.count}; {least}")
    from i2i.loading import open_session, resolve
    from i2i.runtime.sampler import Sampler

    output = Path(arguments.output)
    sheet = output.suffix.lower() == ".png"
    files = [output] if sheet else [output / f"{number:05d}.png" for number in range(arguments.count)]
    _refuse(files, output, sheet=sheet, overwrite=arguments.overwrite)
    signal.signal(signal.SIGTERM, leave)
    session = open_session(resolve(arguments.model), provider=arguments.provider, threads=arguments.threads)
    sampler = Sampler(session)
    latents = _latents(sampler, arguments)
    if sheet:
        _write_sheet(sampler, latents, output, row=arguments.interpolate, overwrite=arguments.overwrite)
    else:
        _write_folder(sampler, latents, files, overwrite=arguments.overwrite)
    pictures = "1 picture" if len(latents) == 1 else f"{len(latents)} pictures"
    print(f"{pictures} of seed {arguments.seed} -> {printable(output)}")
    return int(Exit.DONE)


def _refuse(files: list[Path], output: Path, *, sheet: bool, overwrite: bool) -> None:
    """Everything that can be said against the outputs before any work."""
    if sheet and output.is_dir():
        raise I2IError("E_USAGE", "is a folder; a name that ends in .png means one sheet", path=output)
    if not sheet and output.exists() and not output.is_dir():
        raise I2IError("E_USAGE", "is a file; end the name in .png for one sheet, or name a folder", path=output)
    there = [path for path in files if path.exists()]
    if there and not overwrite:
        message = f"{len(there)} of {len(files)} outputs exist already, the first is {printable(there[0].name)}"
        raise I2IError("E_EXISTS", f"{message}; use --overwrite, or choose another name", path=output)


def _latents(sampler: Sampler, arguments: argparse.Namespace) -> Latents:
    from i2i.runtime.sampler import between

    if not arguments.interpolate:
        return sampler.latents(arguments.count, seed=arguments.seed)
    first, last = sampler.latents(2, seed=arguments.seed)
    return between(first, last, arguments.count)


def _write_sheet(sampler: Sampler, latents: Latents, output: Path, *, row: bool, overwrite: bool) -> None:
    from i2i.evaluation.grids import sheet
    from i2i.files import publish_bytes
    from i2i.images.codec import encode

    pixels = sheet(list(sampler.apply(latents)), columns=len(latents) if row else None)
    output.parent.mkdir(parents=True, exist_ok=True)
    publish_bytes(output, encode(pixels, format="png"), overwrite=overwrite)


def _write_folder(sampler: Sampler, latents: Latents, files: list[Path], *, overwrite: bool) -> None:
    """A batch at a time, so that any number fits into memory."""
    from i2i.files import lock, publish_bytes, sweep
    from i2i.images.codec import encode
    from i2i.runtime.sampler import BATCH

    folder = files[0].parent
    with lock(folder):
        sweep(folder)
        for start in range(0, len(files), BATCH):
            pictures = sampler.apply(latents[start : start + BATCH])
            for path, pixels in zip(files[start : start + BATCH], pictures, strict=True):
                publish_bytes(path, encode(pixels, format="png"), overwrite=overwrite)
