"""What tests of the verbs have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from i2i.data import DATASETS
from i2i.recipes.recipe import recipe_model


@pytest.fixture
def own_dataset(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, type], None]]:
    """Puts a class of a test into the table of datasets, for that test alone."""

    def put(name: str, kind: type) -> None:
        monkeypatch.setitem(DATASETS._entries, name, f"{kind.__module__}:{kind.__name__}")
        recipe_model.cache_clear()

    yield put
    recipe_model.cache_clear()
