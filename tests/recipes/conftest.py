"""The preset with changes laid over it, as `i2i train` puts a recipe together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from i2i.errors import I2IError
from i2i.recipes.merging import merge, overrides
from i2i.recipes.presets import preset
from i2i.recipes.recipe import validate

Resolve = Callable[..., Any]


def resolved(*words: str, name: str = "pix2pix") -> Any:
    """The recipe of a preset with `--a.b value` words."""
    return validate(merge(merge(preset(name), {"data": {"root": "pictures"}}), overrides(words)))


@pytest.fixture
def resolve() -> Resolve:
    return resolved


@pytest.fixture
def refusal() -> Callable[..., str]:
    """What is said against the words; they must end in exit code 2."""

    def said(*words: str) -> str:
        with pytest.raises(I2IError) as caught:
            resolved(*words)
        assert (caught.value.code, caught.value.exit_code) == ("E_RECIPE", 2)
        return str(caught.value)

    return said
