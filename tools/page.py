"""The demo page with every model under pretrained/: `make page` or `python tools/page.py [OUT] [options of i2i embed]`.

What is drawn on comes first, pictures from noise last. `python OUT/serve.py` shows it; any server of static files does.
Options are those of `i2i embed`: --overwrite where OUT is there, --onnxruntime-web DIR where npm cannot fetch it.
"""

from __future__ import annotations

import sys

from i2i.cli.main import main
from i2i.embedding.contents import Embedded, embedded
from i2i.loading import known_models, resolve


def rank(model: Embedded) -> tuple[bool, bool, str]:
    """The order of the menu."""
    return model.card.latent is not None, not model.canvas, model.card.name


def menu() -> list[str]:
    """The names of the models in that order."""
    return sorted(known_models(), key=lambda name: rank(embedded(resolve(name, engine="onnx"))))


if __name__ == "__main__":
    given = sys.argv[1:]
    if {"-h", "--help"} & set(given):
        raise SystemExit(__doc__)
    out, options = (given[0], given[1:]) if given and not given[0].startswith("-") else ("page", given)
    raise SystemExit(main(["embed", *menu(), out, *options]))
