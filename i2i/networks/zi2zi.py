"""zi2zi's networks: a U-Net that is told a style at its innermost layer, and a critic that also tells styles apart.

Tian 2017, "zi2zi: Master Chinese Calligraphy with Conditional Adversarial Networks" (an article and the code
github.com/kaonashi-tyc/zi2zi, `model/unet.py`; there is no paper). The U-Net is that of Isola et al. 2017, arXiv
1611.07004; the category head that of Odena et al. 2016, arXiv 1610.09585. 5x5 kernels, and a norm of the innermost
layer too, as in the code; with batch norm a training batch therefore has at least 2 pictures.

Deviations: any depth, where the code has 8 halvings for its 256 pixels; a style may be a mixture, whose embedding is
the mean of the embeddings by its weights, and likewise scales and shifts of `style_norm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from i2i.networks.layers.beside import numbers
from i2i.networks.layers.conditional_norm import ConditionalInstanceNorm
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.initialisation import gaussian_
from i2i.networks.layers.normalisation import Norm, needs_bias, normalisation
from i2i.networks.layers.sizes import check_exactly, check_size
from i2i.networks.layers.small_convolution import SmallConvolution

Embedding = Literal["fixed", "learned"]
Kernel = Literal[4, 5]

EMBEDDING_DEVIATION = 0.01
NOISY_LAYERS = 3
CRITICS_KERNEL = 5


class Zi2ZiGenerator(nn.Module):
    """`depth` halvings to a character code, the style's embedding beside it, and `depth` doublings with skips.

    Input (N, in_channels, H, W) and a condition: int64 (N,), the number of a style, or float (N, condition_channels),
    weights of a mixture; output (N, out_channels, H, W) in -1..1 (tanh). H and W are multiples of 2**depth, where the
    code is one place for 2**depth (6: 64 px, 7: 128 px, 8: 256 px); other sizes raise `I2IError` (E_SIZE). Channels
    double from `channels` up to eight times as many.

    `embedding`: `fixed` numbers from N(0, 0.01) that are never trained, as the code has them, or `learned` from there.
    `style_norm`: the decoder's norms take scale and shift from the style as well. `dropout` on the decoder's first
    three layers. With 1 plane, 6 styles and depth 6, 7, 8: 47,320,449, 66,983,297 and 86,646,145 parameters; `kernel`
    4 takes two thirds of them and of the time.
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        out_channels: int = 1,
        condition_channels: int = 2,
        channels: int = 64,
        depth: int = 8,
        kernel: Kernel = 5,
        embedding: Embedding = "fixed",
        embedding_channels: int = 128,
        norm: Norm = "batch",
        style_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if depth < 2:
            raise ValueError(f"zi2zi's U-Net has a depth of at least 2, got {depth}")
        if embedding not in get_args(Embedding):
            raise ValueError(f"embedding is one of {', '.join(get_args(Embedding))}, got '{embedding}'")
        self.multiple = self.minimum = 2**depth
        self.condition_channels = condition_channels
        widths = [channels * min(2**level, 8) for level in range(depth)]
        self.encoder = nn.ModuleList(
            _down(before, after, kernel, norm, first=level == 0, last=level == depth - 1)
            for level, (before, after) in enumerate(pairwise([in_channels, *widths]))
        )
        self.embedding = Styles(condition_channels, embedding_channels, learned=embedding == "learned")
        styles = condition_channels if style_norm else 0
        joined = [widths[-1] + embedding_channels, *(2 * width for width in widths[-2::-1])]
        self.decoder = nn.ModuleList(
            _Up(seen, after, kernel, norm, styles, dropout if place < NOISY_LAYERS else 0.0)
            for place, (seen, after) in enumerate(zip(joined[:-1], widths[-2::-1], strict=True))
        )
        self.last = nn.Sequential(nn.ReLU(), _doubling(joined[-1], out_channels, kernel, bias=True))
        gaussian_(self.encoder)
        gaussian_(self.last)
        for layer in self.decoder:
            if isinstance(layer, _Up):
                gaussian_(layer.up)

    def forward(self, planes: Tensor, condition: Tensor) -> Tensor:
        """Translate (N, in_channels, H, W) to a style, (N, out_channels, H, W)."""
        return self.decode(self.encode(planes), condition)

    def encode(self, planes: Tensor) -> list[Tensor]:
        """What every layer of the encoder gives; the last one is the character code (N, C, h, w)."""
        check_size(planes, multiple=self.multiple, minimum=self.minimum, network="Zi2ZiGenerator")
        seen: list[Tensor] = []
        for down in self.encoder:
            planes = down(planes)
            seen.append(planes)
        return seen

    def decode(self, seen: Sequence[Tensor], condition: Tensor) -> Tensor:
        """The picture of what `encode` gave, in a style."""
        *skips, planes = seen
        told = numbers(condition, self.condition_channels, like=planes)
        style = self.embedding(told)[:, :, None, None].expand(-1, -1, *planes.shape[2:])
        planes = torch.cat((planes, style), 1)
        for up in self.decoder:
            planes = torch.cat((up(planes, told), skips.pop()), 1)
        return torch.tanh(self.last(planes))


def with_one_more_style(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `Zi2ZiGenerator` for one style more, which begins as the mean of those that are there.

    The old styles give the same pictures to the bit: in a sum over styles the new one counts for nothing.
    """
    grown = dict(state)
    for name, tensor in state.items():
        if name == "embedding.rows":
            grown[name] = torch.cat((tensor, tensor.mean(0, keepdim=True)))
        elif name.endswith("scale_and_shift.weight"):
            grown[name] = torch.cat((tensor, tensor.mean(1, keepdim=True)), 1)
    return grown


class Styles(nn.Module):
    """Weights of styles (N, styles) to embeddings (N, channels): one row for each style, from N(0, 0.01)."""

    rows: Tensor

    def __init__(self, styles: int, channels: int, *, learned: bool) -> None:
        super().__init__()
        rows = EMBEDDING_DEVIATION * torch.randn(styles, channels)
        if learned:
            self.rows = nn.Parameter(rows)
        else:
            self.register_buffer("rows", rows)

    def forward(self, weights: Tensor) -> Tensor:
        """The mean of the rows by the weights."""
        return weights @ self.rows


class Zi2ZiCritic(nn.Module):
    """Pictures (N, in_channels, size, size) to `score` (N, 1, 1, 1) and the logits `classes` (N, condition_channels).

    Three halvings and a layer of stride 1, 5x5, the first without norm; both heads look at all that is left.
    `features` are the activations of every layer. Other sizes raise `I2IError` (E_SIZE). With 2 planes, 64 px and 6
    styles 4,535,239 parameters.
    """

    def __init__(
        self,
        *,
        in_channels: int = 2,
        condition_channels: int = 2,
        size: int = 256,
        channels: int = 64,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        if size < 8 or size % 8:
            raise ValueError(f"zi2zi's critic halves three times; size is a multiple of 8, got {size}")
        self.multiple = self.minimum = self.size = size
        widths = [in_channels, channels, 2 * channels, 4 * channels, 8 * channels]
        self.blocks = nn.ModuleList(
            _judging(before, after, "none" if level == 0 else norm, stride=1 if level == 3 else 2)
            for level, (before, after) in enumerate(pairwise(widths))
        )
        self.score = nn.Conv2d(widths[-1], 1, size // 8)
        self.classes = nn.Conv2d(widths[-1], condition_channels, size // 8)
        gaussian_(self)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score and classify pictures."""
        check_exactly(planes, size=self.size, network="Zi2ZiCritic")
        features: list[Tensor] = []
        for block in self.blocks:
            planes = block(planes)
            features.append(planes)
        return CriticOutput(self.score(planes), tuple(features), self.classes(planes).flatten(1))


class _Up(nn.Module):
    """ReLU, doubling, norm (the style's own where there are `styles`), dropout."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: Kernel, norm: Norm, styles: int, dropout: float
    ) -> None:
        super().__init__()
        bias = not styles and needs_bias(norm)
        self.up = nn.Sequential(nn.ReLU(), _doubling(in_channels, out_channels, kernel, bias=bias))
        self.norm = (
            ConditionalInstanceNorm(out_channels, condition_channels=styles)
            if styles
            else normalisation(norm, out_channels)
        )
        self.noise = nn.Dropout(dropout)

    def forward(self, planes: Tensor, told: Tensor) -> Tensor:
        """(N, C, H, W), and the weights of the styles (N, K)."""
        planes = self.up(planes)
        planes = self.norm(planes, told) if isinstance(self.norm, ConditionalInstanceNorm) else self.norm(planes)
        noisy: Tensor = self.noise(planes)
        return noisy


def _down(in_channels: int, out_channels: int, kernel: Kernel, norm: Norm, *, first: bool, last: bool) -> nn.Sequential:
    # One place has no instance statistics.
    used: Norm = "none" if first or (last and norm == "instance") else norm
    padding = (kernel - 1) // 2
    halving = SmallConvolution(in_channels, out_channels, kernel, stride=2, padding=padding, bias=needs_bias(used))
    return nn.Sequential(*([] if first else [nn.LeakyReLU(0.2)]), halving, normalisation(used, out_channels))


def _doubling(in_channels: int, out_channels: int, kernel: Kernel, *, bias: bool) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(
        in_channels,
        out_channels,
        kernel,
        stride=2,
        padding=(kernel - 1) // 2,
        output_padding=kernel % 2,
        bias=bias,
    )


def _judging(in_channels: int, out_channels: int, norm: Norm, *, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, CRITICS_KERNEL, stride=stride, padding=2, bias=needs_bias(norm))
    return nn.Sequential(convolution, normalisation(norm, out_channels), nn.LeakyReLU(0.2))
