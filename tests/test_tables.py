"""A table finds its parts by name, imports them when asked and helps with a misspelt name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from i2i.errors import I2IError
from i2i.tables import Table, unknown

TABLE = Table("network", {"unet": "fractions:Fraction", "resnet": "decimal:Decimal", "broken": "no_such_module:X"})


def test_a_name_leads_to_its_part() -> None:
    from fractions import Fraction

    assert TABLE["unet"] is Fraction


def test_a_table_is_a_mapping_in_the_order_of_its_lines() -> None:
    assert list(TABLE) == ["unet", "resnet", "broken"]
    assert len(TABLE) == 3
    assert "unet" in TABLE
    assert "Unet" not in TABLE
    assert TABLE.locations() == ["fractions:Fraction", "decimal:Decimal", "no_such_module:X"]


def test_a_misspelt_name_is_answered_with_the_nearest_and_all_known_ones() -> None:
    with pytest.raises(I2IError) as caught:
        TABLE["unett"]
    assert caught.value.code == "E_RECIPE"
    assert str(caught.value) == "unknown network 'unett'; did you mean 'unet'? known: unet, resnet, broken"


def test_a_name_that_is_near_to_none_is_answered_with_the_known_ones() -> None:
    assert unknown("loss", "zzz", ["l1", "l2"]) == "unknown loss 'zzz'; known: l1, l2"


def test_a_part_is_imported_when_it_is_asked_for_and_not_before() -> None:
    code = (
        "import sys\nfrom i2i.tables import Table\n"
        "table = Table('x', {'a': 'wave:open'})\nlist(table), len(table), 'a' in table\n"
        "before = 'wave' in sys.modules\ntable['a']\nprint(before, 'wave' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True"]


def test_a_line_that_leads_nowhere_is_not_hidden() -> None:
    with pytest.raises(ModuleNotFoundError):
        TABLE["broken"]
