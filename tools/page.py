"""The demo page with every model under pretrained/: `make page` or `python tools/page.py [OUT]`.

What is drawn on comes first, pictures from noise last. `python OUT/serve.py` shows it; any server of static files does.
Options are those of the command: --onnxruntime-web DIR where npm cannot fetch it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from i2i import files
from i2i.embedding.contents import Embedded, embedded, kit
from i2i.embedding.onnxruntime_web import onnxruntime_web
from i2i.errors import I2IError
from i2i.loading import known_models, resolve


def main() -> int:
    """Build the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=Path("page"), help="where to (default: %(default)s)")
    parser.add_argument("--onnxruntime-web", type=Path, metavar="DIR", help="a folder of that package")
    arguments = parser.parse_args()
    try:
        models = sorted((embedded(resolve(name, engine="onnx")) for name in known_models()), key=rank)
        contents = kit(models, onnxruntime_web(arguments.onnxruntime_web))
        for name, data in contents.items():
            files.publish_bytes(arguments.out / name, data, overwrite=True)
    except I2IError as error:
        print(f"error [{error.code}] {error}", file=sys.stderr)
        return int(error.exit_code)
    print(f"{arguments.out / 'index.html'}: {', '.join(model.card.name for model in models)}")
    print(f"to see it: python {arguments.out / 'serve.py'}")
    return 0


def rank(model: Embedded) -> tuple[bool, bool, str]:
    """The order of the menu."""
    return model.card.latent is not None, not model.canvas, model.card.name


if __name__ == "__main__":
    sys.exit(main())
