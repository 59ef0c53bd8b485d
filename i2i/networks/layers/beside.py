"""A condition beside noise or beside a picture: the two ways in which both players are told what is asked for.

Mirza and Osindero 2014, "Conditional Generative Adversarial Nets", arXiv 1411.1784, section 3.2: the condition is a
further input of both. A convolutional critic takes it as planes of one value each (Perarnau et al. 2016, arXiv
1611.06355, section 3.2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def numbers(condition: Tensor, count: int, *, like: Tensor) -> Tensor:
    """A condition as (N, count) numbers of the type of `like`: int64 (N,) one-hot (none is hot below 0 or from `count`
    on), float (N, count) as it is.
    """
    if condition.is_floating_point():
        return condition.to(like.dtype)
    return (condition[:, None] == torch.arange(count, device=condition.device)).to(like.dtype)


def beside(latent: Tensor, condition: Tensor | None, width: int) -> Tensor:
    """Noise (N, Z) with the condition's `width` - Z numbers behind it: (N, width); without a condition, the noise."""
    if condition is None:
        return latent
    return torch.cat((latent, numbers(condition, width - latent.shape[1], like=latent)), 1)


def planes(condition: Tensor, count: int, *, like: Tensor) -> Tensor:
    """A condition as planes (N, count, H, W) of one value each, beside pictures (N, C, H, W)."""
    height, width = like.shape[2:]
    return numbers(condition, count, like=like)[:, :, None, None].expand(-1, -1, height, width)


def more_latent(network: nn.Module) -> int:
    """How many numbers of noise a network takes beyond the `in_channels` that it was made with."""
    return int(getattr(network, "more_latent", 0))
