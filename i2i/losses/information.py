"""How much pictures tell of the codes that they were made from: a lower bound, in nats.

Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial
Nets", arXiv 1606.03657, equation 4: I(c; G(z, c)) >= E[log Q(c | x)] + H(c), for any reader Q of codes.
"""

from __future__ import annotations

import math

from torch import Tensor

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def entropy(*, categories: int, continuous: int) -> float:
    """H(c) of one of `categories` equally likely ones (0: none) and of `continuous` numbers uniform in -1..1."""
    return (math.log(categories) if categories else 0.0) + continuous * math.log(2)


def gaussian_surprise(values: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """-log q of values (N, C) under independent normals (N, C), summed over each row; the mean over the rows."""
    surprise = ((values - mean) / deviation).square() / 2 + deviation.log() + HALF_LOG_TAU
    return surprise.sum(1).mean()
