"""Read files out of npm packages; nothing is installed, nothing is unpacked."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def opened(package: str) -> Iterator[tarfile.TarFile]:
    """The archive of a package, as `npm pack` fetches it. Ends the program when that fails."""
    if shutil.which("npm") is None:
        raise SystemExit("npm is not installed; it comes with Node.js")
    with tempfile.TemporaryDirectory() as scratch:
        words = ["npm", "pack", "--loglevel=error", package]
        packed = subprocess.run(words, cwd=scratch, capture_output=True, text=True, check=False)
        if packed.returncode:
            raise SystemExit(f"npm cannot fetch {package}: {packed.stderr.strip()[:500]}")
        with tarfile.open(Path(scratch, packed.stdout.split()[-1])) as archive:
            yield archive


def content(archive: tarfile.TarFile, name: str) -> bytes:
    """The bytes of a file of the package. Ends the program when there is none of this name."""
    try:
        file = archive.extractfile(f"package/{name}")
    except KeyError:
        file = None
    if file is None:
        raise SystemExit(f"{Path(str(archive.name)).name} holds no {name}")
    return file.read()
