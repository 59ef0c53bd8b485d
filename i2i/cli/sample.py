"""Make pictures from noise with a model that was trained to (presets gan, dcgan, cdcgan ...).

MODEL is a run folder, a model folder, an .onnx file, or a name under pretrained/. OUT that ends in .png is one sheet of
all pictures, any other OUT a folder of 00000.png, 00001.png ... The same seed gives the same pictures, and more of them
begin with the fewer. `i2i info MODEL` tells the domains or attributes of a model.

A model with domains needs one of them:
  --domain NAME       all pictures are of that domain
  --domain all        N pictures of every domain. A sheet has a column for each domain and a row for each noise, so that
                      one sees what the noise decides and what the domain; a folder has OUT/<domain>/00000.png ...
A model with attributes takes numbers by name; those that are not set are drawn by the seed:
  --set smiling=1 --set age=0.3
Setting a member of an exclusive group (hair: black, fair, red) clears the others, unless they are set as well.

Sums of noise (Radford et al. 2016, figure 7), the numbers being those of the sheet that the same --count and --seed
give, row by row from 0 on:
  i2i sample MODEL sheet.png --count 64
  i2i sample MODEL sum.png --count 64 --arithmetic "0,3,5 - 1,2,4 + 7,8,9"
The sheet shows the pictures of each term, below them that of their mean, and behind = nine of the result: the middle
one is the result itself, the others lie around it (uniform noise of 0.25 on every number).

exit codes: 0 all done, 2 usage, 3 refused before work, 4 disk, memory or lock, 130 and 143 stopped by a signal
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from i2i.cli.conditions import ALL, add_condition_options, attributes
from i2i.cli.model_options import add_model_options, check_model_options, leave
from i2i.errors import Exit, I2IError, printable

if TYPE_CHECKING:
    from i2i.evaluation.grids import Picture
    from i2i.images.card import ImageCard
    from i2i.runtime.conditions import Asked
    from i2i.runtime.sampler import Latents, Sampler


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("output", metavar="OUT", help="NAME.png for one sheet, else a folder")
    parser.add_argument("--count", type=int, metavar="N", default=16, help="how many pictures (default: %(default)s)")
    parser.add_argument("--seed", type=int, metavar="S", default=0, help="which noise (default: %(default)s)")
    add_condition_options(
        parser,
        domain=f"what to make, where the model has domains; or `{ALL}`",
        attribute="an attribute; may be given several times",
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--interpolate",
        action="store_true",
        help="N pictures on the way from one point of the noise to another (spherical); a sheet of them is one row",
    )
    kind.add_argument("--arithmetic", metavar="FORMULA", help="a sheet of a sum of pictures' noise, see above")
    parser.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    add_model_options(parser)


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Sample as asked; returns the exit code."""
    arguments = parser.parse_args(argv)
    _check(arguments)
    from i2i.loading import open_session, resolve
    from i2i.runtime.sampler import Sampler

    signal.signal(signal.SIGTERM, leave)
    session = open_session(resolve(arguments.model), provider=arguments.provider, threads=arguments.threads)
    sampler, output = Sampler(session), Path(arguments.output)
    domains, values = _domains(sampler.card, arguments.domain), attributes(arguments.set)
    wanted = [_wanted(sampler.card, arguments, domain, values) for domain in domains]
    folders = _folders(output, domains, apart=arguments.domain == ALL)
    names = [f"{number:05d}.png" for number in range(arguments.count)]
    sheet = _is_sheet(arguments)
    _refuse([output] if sheet else [folder / name for folder in folders for name in names], arguments)
    if sheet:
        _write_sheet(_sheet(sampler, arguments, domains, wanted[0]), output, overwrite=arguments.overwrite)
    else:
        latents = _latents(sampler, arguments)
        for folder, each in zip(folders, wanted, strict=True):
            _write_folder(sampler, latents, each, [folder / name for name in names], overwrite=arguments.overwrite)
    print(_said(arguments, len(names) * len(domains)))
    return int(Exit.DONE)


def _check(arguments: argparse.Namespace) -> None:
    """What can be said against the options without the model."""
    check_model_options(arguments)
    if arguments.count < 1 + arguments.interpolate:
        least = "a way has at least 2" if arguments.interpolate else "at least 1 is needed"
        raise I2IError("E_USAGE", f"--count {arguments.count}; {least}")
    if arguments.seed < 0:
        raise I2IError("E_USAGE", f"--seed {arguments.seed}; seeds begin at 0")
    if arguments.arithmetic is not None:
        from i2i.runtime.arithmetic import parse

        parse(arguments.arithmetic, arguments.count)
        if arguments.domain == ALL:
            raise I2IError("E_USAGE", f"--arithmetic is about pictures of one domain; name it in place of `{ALL}`")
        if not _is_sheet(arguments):
            raise I2IError("E_USAGE", "--arithmetic makes one sheet; end OUT in .png", path=Path(arguments.output))


def _is_sheet(arguments: argparse.Namespace) -> bool:
    return Path(arguments.output).suffix.lower() == ".png"


def _domains(card: ImageCard, domain: str | None) -> list[str | None]:
    """The domains to make pictures of; one None where the model has none."""
    condition = card.condition
    if condition is None or condition.kind != "domains":
        return [domain]  # refused where it is looked up, if there is one
    if domain == ALL:
        return [*condition.names]
    if domain is None:
        message = f"model '{card.name}' needs --domain, one of: {', '.join(condition.names)}; or --domain {ALL}"
        raise I2IError("E_CONDITION", message)
    return [domain]


def _wanted(
    card: ImageCard, arguments: argparse.Namespace, domain: str | None, values: dict[str, float] | None
) -> Asked:
    """What the pictures are to be; those on a way are all to be the same."""
    from i2i.runtime.conditions import asked

    if not arguments.interpolate:
        return asked(card, arguments.count, domain=domain, attributes=values, seed=arguments.seed)
    return asked(card, 1, domain=domain, attributes=values, seed=arguments.seed).rows([0] * arguments.count)


def _folders(output: Path, domains: list[str | None], *, apart: bool) -> list[Path]:
    """Where the pictures of each domain go, if not onto a sheet: below `output` if they lie apart."""
    from i2i.runtime.conditions import domain_folders

    if not apart:
        return [output]
    named = [name for name in domains if name is not None]
    return [output / folder for folder in domain_folders(named).values()]


def _refuse(files: list[Path], arguments: argparse.Namespace) -> None:
    """Everything that can be said against the outputs before any work."""
    output, sheet = Path(arguments.output), _is_sheet(arguments)
    if sheet and output.is_dir():
        raise I2IError("E_USAGE", "is a folder; a name that ends in .png means one sheet", path=output)
    for folder in () if sheet else (output, *dict.fromkeys(path.parent for path in files)):
        if folder.exists() and not folder.is_dir():
            raise I2IError("E_USAGE", "is a file; end the name in .png for one sheet, or name a folder", path=folder)
    there = [path for path in files if path.exists()]
    if there and not arguments.overwrite:
        message = f"{len(there)} of {len(files)} outputs exist already, the first is {printable(there[0].name)}"
        raise I2IError("E_EXISTS", f"{message}; use --overwrite, or choose another name", path=output)


def _latents(sampler: Sampler, arguments: argparse.Namespace) -> Latents:
    from i2i.runtime.sampler import between

    if not arguments.interpolate:
        return sampler.latents(arguments.count, seed=arguments.seed)
    first, last = sampler.latents(2, seed=arguments.seed)
    return between(first, last, arguments.count)


def _sheet(sampler: Sampler, arguments: argparse.Namespace, domains: list[str | None], wanted: Asked) -> Picture:
    """The sheet that is asked for, uint8 (H, W, 3)."""
    from i2i.evaluation import grids, sheets
    from i2i.runtime.arithmetic import parse

    latents = _latents(sampler, arguments)
    if arguments.domain == ALL:
        return sheets.by_domain(sampler, latents, [name for name in domains if name is not None])
    if arguments.arithmetic is not None:
        terms = parse(arguments.arithmetic, arguments.count)
        return sheets.arithmetic(sampler, terms, latents, wanted, seed=arguments.seed)
    pictures = sampler.apply(latents, **wanted._asdict())
    return grids.sheet(list(pictures), columns=len(latents) if arguments.interpolate else None)


def _write_sheet(pixels: Picture, output: Path, *, overwrite: bool) -> None:
    from i2i.files import publish_bytes
    from i2i.images.codec import encode

    output.parent.mkdir(parents=True, exist_ok=True)
    publish_bytes(output, encode(pixels, format="png"), overwrite=overwrite)


def _write_folder(sampler: Sampler, latents: Latents, wanted: Asked, files: list[Path], *, overwrite: bool) -> None:
    """A batch at a time, so that any number fits into memory."""
    from i2i.files import lock, publish_bytes, sweep
    from i2i.images.codec import encode
    from i2i.runtime.sampler import BATCH

    folder = files[0].parent
    with lock(folder):
        sweep(folder)
        for start in range(0, len(files), BATCH):
            part = slice(start, start + BATCH)
            made = sampler.apply(latents[part], **wanted.rows(part)._asdict())
            for path, pixels in zip(files[part], made, strict=True):
                publish_bytes(path, encode(pixels, format="png"), overwrite=overwrite)


def _said(arguments: argparse.Namespace, count: int) -> str:
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    if arguments.arithmetic is not None:
        pictures = f"{arguments.arithmetic} of {pictures}"
    return f"{pictures} of seed {arguments.seed} -> {printable(arguments.output)}"
