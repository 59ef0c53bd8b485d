"""The same as `i2i convert`, from a checkout: python tools/convert.py MODEL INPUT OUTPUT ..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from i2i.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["convert", *sys.argv[1:]]))
