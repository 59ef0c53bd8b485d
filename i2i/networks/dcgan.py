"""DCGAN: the convolutional generator and discriminator that made GANs train.

Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
arXiv 1511.06434, section 3 (the guidelines) and figure 1: strided convolutions instead of pooling, no hidden dense
layers, batch normalisation except at the generator's output and the discriminator's input, ReLU and tanh in the
generator, leaky ReLU of slope 0.2 in the discriminator, weights from N(0, 0.02).

Deviations: 4x4 kernels, as in the authors' later code, which double and halve without uneven overlap; any power of two
from 8 pixels on, where figure 1 shows 64; no layer is wider than 8 times `channels`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from i2i.networks.layers.beside import beside
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.initialisation import gaussian_, kaiming_
from i2i.networks.layers.normalisation import Norm, needs_bias, normalisation
from i2i.networks.layers.sizes import check_exactly
from i2i.networks.layers.upsampling import Upsampling, double

Initialisation = Literal["gaussian", "he"]

SLOPE = 0.2  # of the discriminator's leaky rectifiers


class DCGAN(nn.Module):
    """Noise (N, in_channels) to pictures (N, out_channels, size, size): a projection to 4x4 and doublings.

    `channels` is the width of the last hidden layer; every earlier one is twice as wide. With the defaults (figure 1:
    1024 at 4x4, 512, 256, 128, 3 at 64x64) 12,658,435 parameters.
    """

    def __init__(
        self,
        *,
        in_channels: int = 100,
        out_channels: int = 3,
        size: int = 64,
        channels: int = 128,
        norm: Norm = "batch",
        upsampling: Upsampling = "transposed",
    ) -> None:
        super().__init__()
        self.latent_channels = in_channels
        self.multiple = self.minimum = self.size = size
        widths = _widths(size, channels)[::-1]
        bias = needs_bias(norm)
        self.project = nn.Sequential(
            nn.ConvTranspose2d(in_channels, widths[0], 4, bias=bias), normalisation(norm, widths[0]), nn.ReLU()
        )
        self.hidden = nn.Sequential(
            *(
                nn.Sequential(double(upsampling, wide, narrow, bias=bias), normalisation(norm, narrow), nn.ReLU())
                for wide, narrow in pairwise(widths)
            )
        )
        self.last = nn.Sequential(double(upsampling, widths[-1], out_channels, bias=True), nn.Tanh())
        gaussian_(self)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures of noise, whose numbers with the condition's are `in_channels`."""
        given = beside(latent, condition, self.latent_channels)
        picture: Tensor = self.last(self.hidden(self.project(given[:, :, None, None])))
        return picture


class DCGANCritic(nn.Module):
    """Pictures (N, in_channels, size, size) to `score` (N, 1, 1, 1): halvings down to 4x4 and one convolution over it.

    `channels` is the width of the first layer; every later one is twice as wide. `features` are the activations of
    every halving. With the defaults 11,036,289 parameters. Other sizes raise `I2IError` (E_SIZE).

    `initialisation: he` takes weights that pass signals on in full (He et al. 2015, arXiv 1502.01852) in place of the
    paper's, which batch norm makes up for: without norms and with few channels nearly nothing of a picture would arrive
    at the score.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        size: int = 64,
        channels: int = 128,
        norm: Norm = "batch",
        initialisation: Initialisation = "gaussian",
    ) -> None:
        super().__init__()
        self.multiple = self.minimum = self.size = size
        widths = [in_channels, *_widths(size, channels)]
        self.blocks = nn.ModuleList(
            _halve(before, after, "none" if level == 0 else norm)
            for level, (before, after) in enumerate(pairwise(widths))
        )
        self.score = nn.Conv2d(widths[-1], 1, 4)
        if initialisation == "he":
            kaiming_(self, slope=SLOPE)
        else:
            gaussian_(self)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score pictures."""
        check_exactly(planes, size=self.size, network="DCGANCritic")
        features: list[Tensor] = []
        for block in self.blocks:
            planes = block(planes)
            features.append(planes)
        return CriticOutput(self.score(planes), tuple(features))


def _widths(size: int, channels: int) -> list[int]:
    """The widths of the hidden layers from the largest picture to 4x4. Raises ValueError for a size that is none."""
    halvings = size.bit_length() - 3
    if size < 8 or size != 4 * 2**halvings:
        raise ValueError(f"DCGAN's size is a power of two from 8 on, got {size}")
    return [channels * min(2**level, 8) for level in range(halvings)]


def _halve(in_channels: int, out_channels: int, norm: Norm) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=needs_bias(norm))
    return nn.Sequential(convolution, normalisation(norm, out_channels), nn.LeakyReLU(SLOPE))
