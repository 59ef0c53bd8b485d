"""The same as `i2i convert MODEL FOLDER OUTPUT`, on the workers of a Ray cluster (`pip install "i2i[ray]"`).

    python tools/convert_ray.py MODEL FOLDER OUTPUT [--workers 2] [--domain NAME] [--resume | --overwrite]

Without a cluster that it can reach (RAY_ADDRESS) Ray starts one on this machine. All machines have to see the folders
and the model under these paths, and have i2i installed.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from i2i.cli.progress import Progress
from i2i.loading import open_model, resolve
from i2i.runtime.convert import Options
from i2i.runtime.ray import convert_folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("source", metavar="FOLDER", type=Path)
    parser.add_argument("output", metavar="OUTPUT", type=Path)
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="each has one processor (default: 2)")
    parser.add_argument("--domain", metavar="NAME")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", dest="existing", action="store_const", const="resume", default="refuse")
    again.add_argument("--overwrite", dest="existing", action="store_const", const="overwrite")
    options = parser.parse_args()
    model = resolve(options.model)
    with Progress() as progress:
        outcome = convert_folder(
            partial(open_model, model, threads=1),
            options.source.absolute(),
            options.output.absolute(),
            model=model.digest(),
            options=Options(domain=options.domain, existing=options.existing),
            workers=options.workers,
            report=progress.update,
        )
    progress.summary(outcome, options.output, provider=f"{options.workers} workers")
    return int(outcome.exit_code)


if __name__ == "__main__":
    raise SystemExit(main())
