"""A palette: a generator names a few colours for the whole picture and chooses among them at every pixel.

For drawings. A last layer that makes every pixel's colour by itself leaves blotches in what is one colour, and mixtures
where it is in doubt; a choice that is sure is flat, and an edge is a mixture of its two colours. Hou et al. 2020,
"Learning to Structure an Image with Few Colors", arXiv 2003.07848, section 3.2: shares of every colour by a softmax.
Deviation: there the colours are means over the picture that is to be reduced; a picture that has yet to be drawn has
none, so they are linear in the generator's innermost features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Palette(nn.Module):
    """`colours` of `out_channels` numbers in -1..1, linear in features (N, in_channels) before a tanh.

    They start apart, at random whatever the features are: alike, all would get the same gradient and stay alike.
    """

    def __init__(self, colours: int, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.read = nn.Linear(in_channels, out_channels * colours)
        nn.init.normal_(self.read.weight, 0.0, 0.02)
        nn.init.uniform_(self.read.bias, -1.0, 1.0)

    def forward(self, choice: Tensor, features: Tensor) -> Tensor:
        """Colours mixed by the softmax of `choice`, (N, colours, H, W) to (N, out_channels, H, W)."""
        colours = torch.tanh(self.read(features)).view(features.shape[0], self.out_channels, -1)  # N,C,K
        shares = torch.softmax(choice, 1).flatten(2)  # N,K,H*W
        return torch.matmul(colours, shares).view(choice.shape[0], self.out_channels, *choice.shape[2:])
