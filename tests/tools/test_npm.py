"""What is taken out of npm packages."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import npm


def package(**files: bytes) -> tarfile.TarFile:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    whole.seek(0)
    return tarfile.open(fileobj=whole)


def test_a_file_is_read_out_of_the_package_without_unpacking_it() -> None:
    with package(LICENSE=b"open", other=b"x") as archive:
        assert npm.content(archive, "LICENSE") == b"open"


def test_a_file_that_the_package_does_not_hold_is_named() -> None:
    with package(LICENSE=b"open") as archive, pytest.raises(SystemExit, match=r"holds no files/a\.woff2"):
        npm.content(archive, "files/a.woff2")
