"""The system's refusals, as errors with a code, for the files that grow line by line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2i.errors import I2IError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into `I2IError`: E_NOSPACE when the disk or the quota is full, else E_IO."""
    try:
        yield
    except OSError as error:
        code = "E_NOSPACE" if error.errno in _FULL else "E_IO"
        raise I2IError(code, f"cannot be used: {error.strerror or error}", path=path) from error
