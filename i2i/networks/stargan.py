"""StarGAN's networks: one generator for many domains, and a critic that also tells the domains apart.

Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation", arXiv
1711.09020, section 4 ("network architecture") and tables 4 and 5; no biases in the generator and the critic's heads,
and a slope of 0.01, as in the authors' code. PyTorch's own initial weights in the generator, as there.

How the generator learns of its condition (`conditioning`):

* `planes`, the published form: the condition's numbers as planes of one value each behind the picture. A plane of one
  value that goes through a convolution is a constant again, which instance normalisation takes off: **it acts only
  where zero padding breaks it, at the border**. From there the normalisation's means carry it inwards, and the larger
  the picture the smaller the border's part. So this form translates pictures of its training size alone, and with
  reflected borders it would do nothing.
* `norm`, the default, and the deviation here: every instance normalisation is a conditional one
  (`layers/conditional_norm.py`), which acts alike at every position and so at every size.

`masked`: the generator also says where it changes nothing, and there the picture stays as it was (`layers/mask.py`).
For attributes that touch a small part of a picture; without it every pixel has to pass through a quarter of the
resolution and back.

Deviations: instance normalisation keeps no running statistics (the authors' code gathers them and must not use them:
a mean over domains fits none); as many halvings in the critic as asked for, where the paper has six at 128 pixels, and
in those He's initial weights: with PyTorch's own each layer passes on two fifths of the signal, and without the
penalty of a Wasserstein critic, which pulls it up, the critic stays blind for hundreds of steps.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from i2i.networks.layers.beside import numbers
from i2i.networks.layers.conditional_norm import ConditionalInstanceNorm
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.initialisation import kaiming_
from i2i.networks.layers.mask import check_planes, kept
from i2i.networks.layers.normalisation import InstanceNorm
from i2i.networks.layers.sizes import check_exactly, check_size
from i2i.networks.layers.small_convolution import SmallConvolution
from i2i.networks.layers.upsampling import Upsampling, double

Conditioning = Literal["norm", "planes"]
Padding = Literal["zeros", "reflect"]

SLOPE = 0.01  # of the critic's leaky rectifiers


class StarGAN(nn.Module):
    """`channels` at full size, twice as many at a half, four times as many in the `blocks` at a quarter.

    Input (N, in_channels, H, W) and a condition, int64 (N,) or float (N, condition_channels); output (N, out_channels,
    H, W) in -1..1 (tanh). H and W are multiples of 4 from 8 on; other sizes raise `I2IError` (E_SIZE). With
    `conditioning: planes`, 3 planes and 5 domains 8,430,528 parameters (2,118,112 at 32 channels); with `norm`
    8,451,968 (2,128,832). `padding` of the layers that keep the size; `planes` refuses `reflect` with ValueError.
    `masked`: the last layer has one more plane, which says where the picture stays (`layers/mask.py`); ValueError where
    `in_channels` and `out_channels` differ.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        condition_channels: int = 5,
        channels: int = 64,
        blocks: int = 6,
        conditioning: Conditioning = "norm",
        padding: Padding = "zeros",
        upsampling: Upsampling = "transposed",
        masked: bool = False,
    ) -> None:
        super().__init__()
        if blocks < 1:
            raise ValueError(f"a StarGAN has at least one block, got {blocks}")
        if masked:
            check_planes(in_channels, out_channels)
        if conditioning == "planes" and padding == "reflect":
            message = "conditioning 'planes' acts through the border of zeros alone, and padding 'reflect' has none"
            raise ValueError(f"{message}: every condition would give the same picture; take conditioning 'norm'")
        self.multiple, self.minimum = 4, 8
        self.condition_channels = condition_channels
        self.conditioning = conditioning
        self.size_matters = conditioning == "planes"
        wide, widest = 2 * channels, 4 * channels
        beside = condition_channels if conditioning == "planes" else 0
        inside = condition_channels if conditioning == "norm" else 0
        first = _even(in_channels + beside, channels, 7, padding)
        self.encoder = nn.ModuleList(
            (
                _Layer(first, channels, inside),
                _Layer(_halving(channels, wide), wide, inside),
                _Layer(_halving(wide, widest), widest, inside),
            )
        )
        self.blocks = nn.ModuleList(_Residual(widest, padding, inside) for _ in range(blocks))
        self.decoder = nn.ModuleList(
            (
                _Layer(double(upsampling, widest, wide, bias=False), wide, inside),
                _Layer(double(upsampling, wide, channels, bias=False), channels, inside),
            )
        )
        self.masked = masked
        self.last = _even(channels, out_channels + masked, 7, padding)

    def forward(self, source: Tensor, condition: Tensor) -> Tensor:
        """Translate (N, in_channels, H, W) to what the condition says, (N, out_channels, H, W)."""
        planes = source
        check_size(planes, multiple=self.multiple, minimum=self.minimum, network="StarGAN")
        told = numbers(condition, self.condition_channels, like=planes)
        if self.conditioning == "planes":
            planes = torch.cat((planes, told[:, :, None, None].expand(-1, -1, *planes.shape[2:])), 1)
        for layer in (*self.encoder, *self.blocks, *self.decoder):
            planes = layer(planes, told)
        made = self.last(planes)
        return kept(source, torch.tanh(made[:, :-1]), made[:, -1:]) if self.masked else torch.tanh(made)


class StarGANCritic(nn.Module):
    """Pictures (N, in_channels, size, size) to `score` (N, 1, h, w), one a patch, and the logits `classes` (N, K).

    `layers` halvings with biases, the first to `channels` planes and each to twice as many as the one before; both
    heads are convolutions without bias, 3x3 for the score and over all that is left for the K classes, which are the
    `condition_channels` of the generator. `features` are the activations of every halving. With the defaults 44,762,048
    parameters. Other sizes raise `I2IError` (E_SIZE). Raises ValueError for a size that so many halvings do not fit.

    `class_patches`: the head of the classes is a 3x3 convolution as well, and a class's logit the mean over patches. Of
    few pictures it learns what a domain looks like everywhere, where the published head, with weights of its own at
    each place, knows them by heart.

    `branches`: for a critic that sees its condition as planes of 0 and 1 in front of the picture (`in_channels` counts
    both). It scores for every name by itself, and tells the score of the one asked about (Choi et al. 2020, "StarGAN
    v2", arXiv 1912.01865, section 2.1, the multi-task discriminator): so it learns as quickly as a classifier what a
    domain looks like, which planes among the picture's teach slowly. Its layers do not see the planes, and may classify
    as well. ValueError without planes of the picture.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        condition_channels: int = 5,
        size: int = 128,
        channels: int = 64,
        layers: int = 6,
        class_patches: bool = False,
        branches: bool = False,
    ) -> None:
        super().__init__()
        if layers < 1 or size < 2**layers or size % 2**layers:
            raise ValueError(f"{layers} halvings do not fit {size} pixels; set size to a multiple of {2**layers}")
        self.multiple = self.minimum = self.size = size
        self.condition_planes = condition_channels if branches else 0
        if in_channels <= self.condition_planes:
            raise ValueError(
                "branches choose by the condition's planes in front of the picture: method.conditional true"
            )
        widths = [in_channels - self.condition_planes, *(channels * 2**level for level in range(layers))]
        self.blocks = nn.ModuleList(
            nn.Sequential(SmallConvolution(before, after, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE))
            for before, after in pairwise(widths)
        )
        kaiming_(self.blocks, slope=SLOPE)
        self.score = nn.Conv2d(widths[-1], self.condition_planes or 1, 3, padding=1, bias=False)
        over = {"kernel_size": 3, "padding": 1} if class_patches else {"kernel_size": size // 2**layers}
        self.classes = nn.Conv2d(widths[-1], condition_channels, **over, bias=False)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score and classify pictures."""
        check_exactly(planes, size=self.size, network="StarGANCritic")
        beside, planes = planes[:, : self.condition_planes], planes[:, self.condition_planes :]
        features: list[Tensor] = []
        for block in self.blocks:
            planes = block(planes)
            features.append(planes)
        score = self.score(planes)
        if self.condition_planes:
            # The planes may have been moved or cut as the picture was: anywhere is enough.
            score = (score * beside.amax((2, 3), keepdim=True)).sum(1, keepdim=True)
        return CriticOutput(score, tuple(features), self.classes(planes).mean((2, 3)))


class _Layer(nn.Module):
    """A convolution, an instance norm and a ReLU; the norm has scales of its own, or the condition's."""

    def __init__(self, convolution: nn.Module, channels: int, condition_channels: int, *, active: bool = True) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = (
            ConditionalInstanceNorm(channels, condition_channels=condition_channels)
            if condition_channels
            else InstanceNorm(channels, affine=True)
        )
        self.active = active

    def forward(self, planes: Tensor, told: Tensor) -> Tensor:
        """(N, C, H, W), and the condition's numbers (N, K)."""
        planes = self.convolution(planes)
        planes = self.norm(planes, told) if isinstance(self.norm, ConditionalInstanceNorm) else self.norm(planes)
        return torch.relu(planes) if self.active else planes


class _Residual(nn.Module):
    """x + f(x): two layers, the second without activation."""

    def __init__(self, channels: int, padding: Padding, condition_channels: int) -> None:
        super().__init__()
        self.first = _Layer(_even(channels, channels, 3, padding), channels, condition_channels)
        self.second = _Layer(_even(channels, channels, 3, padding), channels, condition_channels, active=False)

    def forward(self, planes: Tensor, told: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        change: Tensor = self.second(self.first(planes, told), told)
        return planes + change


def _even(in_channels: int, out_channels: int, kernel: int, padding: Padding) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode=padding, bias=False)


def _halving(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
