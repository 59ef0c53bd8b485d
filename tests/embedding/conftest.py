"""Tiny models of every kind and kits of them, and a runtime folder that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from i2i.embedding.contents import Embedded, embedded
from i2i.embedding.contents import kit as contents
from i2i.files import publish_folder
from i2i.loading import ModelPath
from tests.embedding.tiny import FAKE, write_models


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, Path]:
    """An .onnx file of each kind, by its name."""
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def runtime(tmp_path) -> Path:
    """A folder that holds files with the names of onnxruntime-web's, for what never opens the page."""
    publish_folder(tmp_path / "runtime", FAKE)
    return tmp_path / "runtime"


@pytest.fixture
def open_model(models) -> Callable[..., Embedded]:
    """A model of a kind, as the kit reads it."""

    def _open(name: str, **options: Any) -> Embedded:
        return embedded(ModelPath("onnx", models[name]), **options)

    return _open


@pytest.fixture
def write_kit(open_model, tmp_path) -> Callable[[str], Path]:
    """Writes the kit of a model without a page; returns its folder."""

    def _write(name: str) -> Path:
        folder = tmp_path / "kits" / name
        publish_folder(folder, contents([open_model(name)], None))
        return folder

    return _write
