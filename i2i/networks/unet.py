"""U-Net generator: an encoder-decoder whose layers see the encoder's layer of the same resolution.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", arXiv 1611.07004, section 3.2.1
and appendix 6.1.1; the ablation's encoder-decoder is the same network with `skips=False`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from i2i.networks.layers.initialisation import gaussian_
from i2i.networks.layers.mask import check_planes, kept
from i2i.networks.layers.normalisation import Norm, needs_bias, normalisation
from i2i.networks.layers.palette import Palette
from i2i.networks.layers.sizes import check_size
from i2i.networks.layers.small_convolution import SmallConvolution
from i2i.networks.layers.upsampling import Upsampling, double

NOISY_LAYERS = 3


class UNet(nn.Module):
    """`depth` halvings, then `depth` doublings; channels double from `channels` up to eight times as many.

    Input (N, in_channels, H, W), output (N, out_channels, H, W) in -1..1 (tanh). H and W are multiples of 2**depth;
    other sizes raise `I2IError` (E_SIZE). With 64 channels and batch norm: depth 8 (256 px) 54,413,955 parameters,
    depth 7 (128 px) 41,828,995. The innermost layer has no normalisation, so that one picture of the smallest size can
    be trained on.

    `dropout` on the decoder's first three layers is the paper's only noise. It works in training; in
    `eval()` it is off and batch norm uses running statistics, so that a translator is a function of its input. (The
    paper's pictures come from batch statistics and dropout at test time.)

    `full_size_channels`: planes of the picture's own size, which the published network has none of: its last layer
    doubles those of half the size straight into a picture, so that what is finer than two pixels comes from one layer,
    which sees nothing of the input's own pixels. With these the last doubling makes so
    many planes, which two 3x3 convolutions turn, beside the input itself, into the picture (the outermost level of
    Ronneberger et al. 2015, "U-Net", arXiv 1505.04597, figure 1).

    `masked`: the last layer has one more plane, which says where the picture stays (`layers/mask.py`); ValueError where
    `in_channels` and `out_channels` differ.

    `palette_colours`: the last layer chooses among so many colours, which are read from the innermost planes' means
    (`layers/palette.py`). For drawings, whose areas are of one colour each. Colours of the whole picture: an exported
    model that keeps a picture's size does not translate it in tiles. ValueError for fewer than 2, but for 0, no
    palette.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        channels: int = 64,
        depth: int = 8,
        norm: Norm = "batch",
        upsampling: Upsampling = "transposed",
        skips: bool = True,
        dropout: float = 0.5,
        full_size_channels: int = 0,
        masked: bool = False,
        palette_colours: int = 0,
    ) -> None:
        super().__init__()
        if masked:
            check_planes(in_channels, out_channels)
        if depth < 2:
            raise ValueError(f"a U-Net has a depth of at least 2, got {depth}")
        if palette_colours < 0 or palette_colours == 1:
            raise ValueError(f"a palette has at least 2 colours, or 0 for no palette, got {palette_colours}")
        self.multiple = self.minimum = 2**depth
        self.skips = skips
        self.masked = masked
        last_channels = (palette_colours or out_channels) + masked
        widths = [channels * min(2**level, 8) for level in range(depth)]
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for level, width in enumerate(widths):
            before = in_channels if level == 0 else widths[level - 1]
            self.encoder.append(_down(before, width, norm, first=level == 0, last=level == depth - 1))
        for level in reversed(range(depth)):
            joined = widths[level] * (2 if skips and level < depth - 1 else 1)
            if level == 0 and not full_size_channels:
                self.decoder.append(_out(joined, last_channels, upsampling))
            else:
                noise = dropout if len(self.decoder) < NOISY_LAYERS else 0.0
                width = widths[level - 1] if level else full_size_channels
                self.decoder.append(_up(joined, width, norm, upsampling, noise))
        self.full_size = (
            _full_size(in_channels + full_size_channels, full_size_channels, last_channels, norm)
            if full_size_channels
            else None
        )
        gaussian_(self)
        self.palette = (
            Palette(palette_colours, in_channels=widths[-1], out_channels=out_channels) if palette_colours else None
        )

    def forward(self, planes: Tensor) -> Tensor:
        """Translate (N, in_channels, H, W) to (N, out_channels, H, W)."""
        check_size(planes, multiple=self.multiple, minimum=self.minimum, network="UNet")
        source = planes
        seen: list[Tensor] = []
        for down in self.encoder:
            planes = down(planes)
            seen.append(planes)
        innermost = seen.pop()
        planes = self.decoder[0](innermost)
        for up in list(self.decoder)[1:]:
            skip = seen.pop()
            planes = up(torch.cat((skip, planes), 1) if self.skips else planes)
        if self.full_size is not None:
            planes = self.full_size(torch.cat((source, torch.relu(planes)), 1))
        made = planes[:, :-1] if self.masked else planes
        drawn = torch.tanh(made) if self.palette is None else self.palette(made, torch.relu(innermost).mean((2, 3)))
        return kept(source, drawn, planes[:, -1:]) if self.masked else drawn


def _down(in_channels: int, out_channels: int, norm: Norm, *, first: bool, last: bool) -> nn.Sequential:
    bare = first or last
    layers: list[nn.Module] = [] if first else [nn.LeakyReLU(0.2)]
    layers.append(SmallConvolution(in_channels, out_channels, 4, stride=2, padding=1, bias=needs_bias(norm)))
    return nn.Sequential(*layers, *([] if bare else [normalisation(norm, out_channels)]))


def _up(in_channels: int, out_channels: int, norm: Norm, upsampling: Upsampling, dropout: float) -> nn.Sequential:
    up = double(upsampling, in_channels, out_channels, bias=needs_bias(norm))
    noise = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(nn.ReLU(), up, normalisation(norm, out_channels), *noise)


def _full_size(in_channels: int, channels: int, out_channels: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        SmallConvolution(in_channels, channels, 3, padding=1, bias=needs_bias(norm)),
        normalisation(norm, channels),
        nn.ReLU(),
        nn.Conv2d(channels, out_channels, 3, padding=1),
    )


def _out(in_channels: int, out_channels: int, upsampling: Upsampling) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), double(upsampling, in_channels, out_channels, bias=True))
