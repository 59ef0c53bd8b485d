"""A convolution to few positions, which a training step computes as one matrix product.

Where hardly any positions are left, at the small end of critics and of U-Nets, a convolution is as good as a linear
layer of wide rows. The routines that PyTorch has for gradients of convolutions on CPUs spread their work over
positions, and take several times as long there as a matrix product over all positions of the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, unfold

MOST = 4  # positions of the result, its height times its width


class SmallConvolution(nn.Conv2d):
    """`nn.Conv2d` with padding of zeros and no groups: the same weights, the same values but for rounding.

    Planes (N, in_channels, H, W) to (N, out_channels, H', W'). As a matrix product on CPUs alone, where its weights are
    about to be trained and the result has at most `MOST` positions; everywhere else, and in every exported file, it
    is the convolution.
    """

    def forward(self, planes: Tensor) -> Tensor:
        """Convolve (N, in_channels, H, W)."""
        assert not isinstance(self.padding, str)  # given as numbers
        height, width = (
            (side + 2 * padding - kernel) // stride + 1
            for side, padding, kernel, stride in zip(
                planes.shape[2:], self.padding, self.kernel_size, self.stride, strict=True
            )
        )
        trained = self.training and torch.is_grad_enabled() and self.weight.requires_grad
        if not trained or planes.device.type != "cpu" or height * width > MOST:
            return super().forward(planes)
        rows = unfold(planes, self.kernel_size, padding=self.padding, stride=self.stride).transpose(1, 2)
        made = linear(rows.flatten(0, 1), self.weight.flatten(1), self.bias)
        return made.view(len(planes), height, width, -1).permute(0, 3, 1, 2)
