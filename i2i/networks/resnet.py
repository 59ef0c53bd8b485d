"""ResNet generator: two halvings, residual blocks at a quarter of the size, two doublings.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", arXiv 1603.08155, in the
form of Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", arXiv
1703.10593, section 4 and appendix 7.2: reflection padding against artefacts at the border, instance normalisation, 7x7
kernels at both ends, 6 blocks for 128 px and 9 for 256 px and more.

The residual blocks keep their size by reflection (Johnson's lose a border in each), and the halvings pad with zeros, as
in the second paper's code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from i2i.networks.layers.initialisation import gaussian_
from i2i.networks.layers.normalisation import Norm, needs_bias, normalisation
from i2i.networks.layers.sizes import check_size
from i2i.networks.layers.upsampling import Upsampling, double


class ResNet(nn.Module):
    """`channels` at full size, twice as many at a half, four times as many in the `blocks` at a quarter.

    Input (N, in_channels, H, W), output (N, out_channels, H, W) in -1..1 (tanh). H and W are multiples of 4 from 8 on
    (reflection by one pixel needs two); other sizes raise `I2IError` (E_SIZE). 3 planes to 3: 11,378,179 parameters
    with 9 blocks of 64 channels, 7,837,699 with 6, 1,965,059 with 6 of 32 channels, whichever `upsampling`.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        channels: int = 64,
        blocks: int = 9,
        norm: Norm = "instance",
        upsampling: Upsampling = "transposed",
    ) -> None:
        super().__init__()
        if blocks < 1:
            raise ValueError(f"a ResNet has at least one block, got {blocks}")
        self.multiple, self.minimum = 4, 8
        self.norm = norm
        wide, widest = 2 * channels, 4 * channels
        self.encoder = nn.Sequential(
            _layer(_reflecting(in_channels, channels, 7, norm), channels, norm),
            _layer(_halving(channels, wide, norm), wide, norm),
            _layer(_halving(wide, widest, norm), widest, norm),
        )
        self.blocks = nn.Sequential(*(_Residual(widest, norm) for _ in range(blocks)))
        bias = needs_bias(norm)
        self.decoder = nn.Sequential(
            _layer(double(upsampling, widest, wide, bias=bias, kernel=3), wide, norm),
            _layer(double(upsampling, wide, channels, bias=bias, kernel=3), channels, norm),
            nn.Conv2d(channels, out_channels, 7, padding=3, padding_mode="reflect"),
        )
        gaussian_(self)

    def forward(self, planes: Tensor) -> Tensor:
        """Translate (N, in_channels, H, W) to (N, out_channels, H, W)."""
        check_size(planes, multiple=self.multiple, minimum=self.minimum, network="ResNet")
        if self.norm == "instance" and not self.training:
            # The first norm is blind to this, and of a picture of one colour nothing is left to round: `InstanceNorm`.
            planes = planes - planes[..., :1, :1]
        return torch.tanh(self.decoder(self.blocks(self.encoder(planes))))


class _Residual(nn.Module):
    """x + f(x): two convolutions, the second without activation."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.first = _layer(_reflecting(channels, channels, 3, norm), channels, norm)
        self.second = nn.Sequential(_reflecting(channels, channels, 3, norm), normalisation(norm, channels))

    def forward(self, planes: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        change: Tensor = self.second(self.first(planes))
        return planes + change


def _reflecting(in_channels: int, out_channels: int, kernel: int, norm: Norm) -> nn.Conv2d:
    padding = kernel // 2
    return nn.Conv2d(in_channels, out_channels, kernel, padding=padding, padding_mode="reflect", bias=needs_bias(norm))


def _halving(in_channels: int, out_channels: int, norm: Norm) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=needs_bias(norm))


def _layer(convolution: nn.Module, channels: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(convolution, normalisation(norm, channels), nn.ReLU())
