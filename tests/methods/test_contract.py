"""What every method of the table promises."""

from __future__ import annotations

import pytest

from i2i.data import DATASETS
from i2i.methods import METHODS
from i2i.methods.method import Method

every_method = pytest.mark.parametrize("name", list(METHODS))


@every_method
def test_a_method_is_a_method_and_some_dataset_feeds_it(name: str) -> None:
    kind = METHODS[name]
    assert issubclass(kind, Method)
    assert kind.batch_type in {DATASETS[dataset].batch_type for dataset in DATASETS}
