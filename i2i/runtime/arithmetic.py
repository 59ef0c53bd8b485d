"""Sums of noise by a formula such as `0,3,5 - 1,2,4 + 7,8,9`: the smiling woman minus the woman plus the man.

Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
arXiv 1511.06434, section 6.3.2: single latents give unstable results, means of three stable ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from i2i.errors import I2IError

Numbers = npt.NDArray[np.float32]

REACH = 0.25  # figure 7's
AROUND = 8


class Term(NamedTuple):
    """Pictures by their numbers on a sheet, whose mean is added (`sign` 1) or taken away (-1)."""

    sign: int
    rows: list[int]


def parse(formula: str, count: int) -> list[Term]:
    """The terms of a formula about the pictures 0 to `count` - 1.

    Raises `I2IError` (E_USAGE) for what is no formula, and for a picture that is not there.
    """
    term = r"\d+(?:\s*,\s*\d+)*"
    if not re.fullmatch(rf"\s*{term}(?:\s*[+-]\s*{term})*\s*", formula, re.ASCII):
        message = f"'{formula}' is not a formula; one looks like '0,3,5 - 1,2,4 + 7,8,9', the numbers being pictures'"
        raise I2IError("E_USAGE", message)
    first, *others = re.split(r"([+-])", formula)
    signed = [("+", first), *zip(others[::2], others[1::2], strict=True)]
    terms = [Term(1 if sign == "+" else -1, [int(part) for part in text.split(",")]) for sign, text in signed]
    for number in (number for term_ in terms for number in term_.rows if number >= count):
        message = f"there is no picture {number} among {count}, which are numbered 0 to {count - 1}; ask for more"
        raise I2IError("E_USAGE", message)
    return terms


def mean(term: Term, rows: Numbers) -> Numbers:
    """The mean [Z] of the term's rows of [N, Z]."""
    return np.asarray(rows[term.rows].mean(0, dtype=np.float64), dtype=np.float32)


def combined(terms: Sequence[Term], rows: Numbers) -> Numbers:
    """The sum [Z] of the terms' means, each with its sign."""
    total = sum((term.sign * mean(term, rows).astype(np.float64) for term in terms), np.zeros(rows.shape[1]))
    return np.asarray(total, dtype=np.float32)


def neighbours(latent: Numbers, *, seed: int) -> Numbers:
    """A latent [Z] among 8 that lie around it, [9, Z]: it is the fifth. Uniform noise of +-0.25 lies between."""
    noise = np.random.default_rng([seed, 2]).uniform(-REACH, REACH, (AROUND + 1, len(latent)))
    noise[AROUND // 2] = 0
    return np.asarray(latent + noise, dtype=np.float32)
