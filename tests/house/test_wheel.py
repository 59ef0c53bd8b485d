"""What the wheel holds."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_types_and_its_licence_and_nothing_else(
    tracked: list[Path], wheel: Path
) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    beside = {name.partition("/")[2] for name in names if ".dist-info/" in name}
    assert {name for name in names if ".dist-info/" not in name} == {
        str(path) for path in tracked if path.parts[0] == "i2i"
    }
    assert "i2i/py.typed" in names
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= beside
