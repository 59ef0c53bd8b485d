"""PatchGAN discriminator: judges every overlapping patch of a picture, not the picture as a whole.

Isola et al. 2017, arXiv 1611.07004, section 3.2.2 and appendix 6.1.2; `layers=3` is the 70x70 PatchGAN.
"""

from __future__ import annotations

from torch import Tensor, nn

from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.initialisation import gaussian_, kaiming_
from i2i.networks.layers.normalisation import Norm, needs_bias, normalisation
from i2i.networks.layers.sizes import check_size

SLOPE = 0.2  # of the leaky rectifiers


class PatchGAN(nn.Module):
    """`layers` halvings and two layers of stride 1, all 4x4; one score per patch, not squashed.

    Input (N, in_channels, H, W); `score` (N, 1, h, w). The patch is `receptive_field` pixels wide: 16, 34, 70, 142
    for `layers` 1, 2, 3, 4. With 64 channels, 3 layers, batch norm and 6 input channels: 2,768,705 parameters; with
    instance norm and 3: 2,764,737. Without norm (for penalties on gradients, which judge each picture by itself) its
    blocks have He's initial weights: with the paper's little of the signal would reach the score. Any size down to
    `minimum` fits; a smaller one raises `I2IError` (E_SIZE).
    """

    def __init__(self, *, in_channels: int = 6, channels: int = 64, layers: int = 3, norm: Norm = "batch") -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"PatchGAN has at least one layer, got {layers}")
        self.multiple = 1
        self.minimum = 3 * 2**layers
        self.receptive_field = 9 * 2**layers - 2
        widths = [channels * min(2**level, 8) for level in range(layers + 1)]
        blocks = [nn.Sequential(nn.Conv2d(in_channels, channels, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE))]
        for level in range(1, layers + 1):
            stride = 2 if level < layers else 1
            blocks.append(_block(widths[level - 1], widths[level], stride, norm))
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Conv2d(widths[-1], 1, 4, stride=1, padding=1)
        gaussian_(self)
        if norm == "none":
            kaiming_(self.blocks, slope=SLOPE)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score (N, in_channels, H, W); `features` are the activations of every block."""
        check_size(planes, multiple=self.multiple, minimum=self.minimum, network="PatchGAN")
        features: list[Tensor] = []
        for block in self.blocks:
            planes = block(planes)
            features.append(planes)
        return CriticOutput(self.score(planes), tuple(features))


def _block(in_channels: int, out_channels: int, stride: int, norm: Norm) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride=stride, padding=1, bias=needs_bias(norm))
    return nn.Sequential(convolution, normalisation(norm, out_channels), nn.LeakyReLU(SLOPE))
