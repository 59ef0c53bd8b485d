"""Normalisation by name, and the bias rule that goes with it."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Norm = Literal["batch", "instance", "none"]


class InstanceNorm(nn.InstanceNorm2d):
    """Plain instance norm; in evaluation a plane of one value becomes exactly 0 in every engine.

    Each plane's first value is taken off before, which the norm is blind to. Otherwise the rounding of the mean,
    divided by nearly nothing, grows from layer to layer into a picture of noise that no two engines share.
    """

    def forward(self, planes: Tensor) -> Tensor:
        """Normalise every plane of (N, C, H, W)."""
        given = planes if self.training else planes - planes[..., :1, :1]
        return super().forward(given)


def normalisation(name: Norm, channels: int) -> nn.Module:
    """The layer for `channels` planes: affine batch norm, plain instance norm (no running statistics), or nothing."""
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "instance":
        return InstanceNorm(channels)
    return nn.Identity()


def has_batch_norm(network: nn.Module) -> bool:
    """Whether a layer of the network normalises by the batch: what it makes of one picture depends on the others."""
    return any(isinstance(layer, _BatchNorm) for layer in network.modules())


def needs_bias(name: Norm) -> bool:
    """Whether the convolution before this normalisation carries a bias: batch norm has its own, the others have not."""
    return name != "batch"
