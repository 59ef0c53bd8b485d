"""Normalisation by name, and the bias rule that goes with it."""

from __future__ import annotations

from typing import Literal

from torch import nn

Norm = Literal["batch", "instance", "none"]


def normalisation(name: Norm, channels: int) -> nn.Module:
    """The layer for `channels` planes: affine batch norm, plain instance norm (no running statistics), or nothing."""
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "instance":
        return nn.InstanceNorm2d(channels)
    return nn.Identity()


def needs_bias(name: Norm) -> bool:
    """Whether the convolution before this normalisation carries a bias: batch norm has its own, the others have not."""
    return name != "batch"
