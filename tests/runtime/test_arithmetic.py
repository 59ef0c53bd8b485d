"""Sums of noise: what is a formula, what it gives, what lies around it."""

from __future__ import annotations

import numpy as np
import pytest

from i2i.errors import I2IError
from i2i.runtime.arithmetic import Term, combined, mean, neighbours, parse

ROWS = np.array([[1, 0], [3, 4], [10, 2], [0, 0], [0, -8]], np.float32)


def test_a_formula_is_terms_of_pictures_with_their_signs() -> None:
    assert parse(" 0, 3 -1 +2,4", 5) == [Term(1, [0, 3]), Term(-1, [1]), Term(1, [2, 4])]
    assert parse("4", 5) == [Term(1, [4])]


def test_each_term_is_the_mean_of_its_pictures_and_has_its_sign() -> None:
    assert mean(Term(-1, [0, 1]), ROWS).tolist() == [2, 2]
    # (1, 0) + (3, 4) halved, minus (10, 2), plus (0, 0) + (0, -8) halved
    result = combined(parse("0,1 - 2 + 3,4", 5), ROWS)
    assert result.tolist() == [-8, -4]
    assert result.dtype == np.float32


def test_the_neighbours_lie_within_a_quarter_of_the_result_which_is_the_fifth() -> None:
    latent = np.linspace(-1, 1, 100, dtype=np.float32)
    nine = neighbours(latent, seed=3)
    assert nine.shape == (9, 100)
    assert nine.dtype == np.float32
    assert np.array_equal(nine[4], latent)
    away = np.delete(nine, 4, axis=0) - latent
    assert 0.24 < np.abs(away).max() <= 0.2501
    assert away.std() == pytest.approx(0.5 / 12**0.5, abs=0.01)  # of a uniform distribution 0.5 wide
    assert np.array_equal(neighbours(latent, seed=3), nine)
    assert not np.array_equal(neighbours(latent, seed=4), nine)


@pytest.mark.parametrize("formula", ["", "a - b", "1 -", "- 1", "1 2", "1,,2", "1 * 2", "1 - - 2", "1.5", "٣"])
def test_what_is_no_formula_is_told_what_one_looks_like(formula: str) -> None:
    with pytest.raises(I2IError, match="is not a formula; one looks like '0,3,5 - 1,2,4") as caught:
        parse(formula, 9)
    assert caught.value.code == "E_USAGE"


def test_a_picture_that_is_not_on_the_sheet_is_named() -> None:
    with pytest.raises(I2IError, match="no picture 9 among 9, which are numbered 0 to 8"):
        parse("1,2 - 9", 9)
