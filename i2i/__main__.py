"""`python -m i2i` is the same as `i2i`."""

from i2i.cli.main import main

raise SystemExit(main())
