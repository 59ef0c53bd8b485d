"""Minibatch standard deviation: how much the pictures of a batch differ, as one number for the critic.

Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation", arXiv 1710.10196,
section 3; the groups are those of the authors' released code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Under the root: pictures that are all alike have a finite gradient.
_EPSILON = 1e-8


class MinibatchDeviation(nn.Module):
    """Features (N, A, h, w) or (N, A) to (N, 1): the deviation of each feature at each place, averaged over all.

    Deviations (divided by the number of pictures, not one less) are taken over groups of `group` pictures, or of the
    largest number below it that divides the batch. Groups of one, as in a batch of one, have a deviation of 1e-4 and
    no gradient. Computed in float32 at least.
    """

    def __init__(self, *, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, features: Tensor) -> Tensor:
        """The mean deviation of each picture's group."""
        with torch.autocast(features.device.type, enabled=False):
            count = features.shape[0]
            size = next(size for size in range(min(self.group, count), 0, -1) if count % size == 0)
            exact = features.to(torch.promote_types(features.dtype, torch.float32))
            # (size, groups, values of a picture): every `count / size`-th picture belongs to one group.
            groups = exact.reshape(size, count // size, -1)
            variance = (groups - groups.mean(0)).square().mean(0)  # `var` takes many times as long on CPU
            deviation = (variance + _EPSILON).sqrt().mean(1)
            return deviation.repeat(size)[:, None]
