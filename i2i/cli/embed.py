"""Write a folder that runs a model by itself: a web page, and programs in Python, Node, C++ and C#.

MODEL is an .onnx file, a model folder that holds one, or a name under pretrained/ (`i2i export` makes the file). With
several models the folder is a page with a menu. README.md in the folder says what each program needs and how it runs.

The page runs the model in the browser, without a server's help. Its runtime, onnxruntime-web, is fetched once by npm,
checked against a pinned hash, and kept in your cache folder. `python OUT/serve.py` shows the page; any other web server
does, too.

exit codes: 0 written, 2 usage or no such model, 3 refused (name taken, a model's own folder, damaged model or picture),
4 disk or download
"""

from __future__ import annotations

import argparse
from pathlib import Path

from i2i.errors import Exit, I2IError, printable

OVERWRITE = "replace files that exist in OUT, and remove those that an earlier `i2i embed` left there; others stay"
CANVAS = {"auto": None, "yes": True, "no": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+")
    parser.add_argument("output", metavar="OUT")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE)
    parser.add_argument(
        "--example",
        metavar="PICTURE",
        type=Path,
        action="append",
        default=[],
        help="a picture to start from, may be given several times (default: example-*.png beside the model)",
    )
    parser.add_argument(
        "--canvas",
        choices=list(CANVAS),
        default="auto",
        help="whether the page has a canvas to draw on; auto: if the examples are line drawings, or the source is a "
        "font or a label map (default: %(default)s)",
    )
    parser.add_argument("--no-page", action="store_true", help="programs only, which needs no download")
    parser.add_argument(
        "--onnxruntime-web", metavar="DIR", type=Path, help="a folder of that package, in place of fetching it"
    )


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Embed as asked; returns the exit code."""
    arguments = parser.parse_args(argv)
    output = Path(arguments.output)
    _check(arguments, output)
    from i2i.embedding.contents import embedded, kit
    from i2i.embedding.folder import listed, publish, refuse_models
    from i2i.embedding.onnxruntime_web import onnxruntime_web
    from i2i.loading import resolve

    found = [resolve(model, engine="onnx") for model in arguments.models]
    refuse_models(output, found)
    models = [embedded(model, examples=arguments.example, canvas=CANVAS[arguments.canvas]) for model in found]
    runtime = None if arguments.no_page else onnxruntime_web(arguments.onnxruntime_web)
    contents = listed(kit(models, runtime))
    publish(output, contents, overwrite=arguments.overwrite)
    size = sum(len(data) for data in contents.values())
    print(f"wrote {printable(output)}: {len(contents)} files, {size / 1e6:.1f} MB; README.md says how to run each")
    if runtime is not None:
        print(f"the page: python {printable(output / 'serve.py')}")
    return int(Exit.DONE)


def _check(arguments: argparse.Namespace, output: Path) -> None:
    """What can be said against the options without the models."""
    if len(arguments.models) > 1 and arguments.example:
        raise I2IError("E_USAGE", "--example is for one model; lay example-1.png beside each model instead")
    if arguments.no_page and arguments.onnxruntime_web is not None:
        raise I2IError("E_USAGE", "--onnxruntime-web is for the page, which --no-page leaves out")
    if output.exists() and not arguments.overwrite:
        raise I2IError("E_EXISTS", "exists already; choose another name, or use --overwrite", path=output)
    if output.exists() and not output.is_dir():
        raise I2IError("E_USAGE", "is a file; name a folder", path=output)
