"""A reader of codes: a head beside the score of a critic, on the same features.

Chen et al. 2016, "InfoGAN", arXiv 1606.03657, section 6 and appendix C: Q and D share all layers but the last ones, and
Q has one more hidden layer of 128 units. Deviation: that layer has no batch normalisation, and is shaped as the
critic's last one, so that it fits every critic: for DCGAN's it sees the whole picture, for a PatchGAN's every patch,
and the mean over the patches is read.
"""

from __future__ import annotations

from torch import Tensor, nn

from i2i.networks.layers.last_layer import last_layer, positions_mean, shaped_like


class CodeReader(nn.Module):
    """The last of a critic's features, (N, A) or (N, A, h, w), to (N, outputs). `critic` gives the shape alone.

    Raises ValueError for a critic without a last layer.
    """

    def __init__(self, critic: nn.Module, *, outputs: int, channels: int = 128) -> None:
        super().__init__()
        self.hidden = shaped_like(last_layer(critic), channels)
        self.activation = nn.LeakyReLU(0.1)
        self.last = nn.Linear(channels, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Read."""
        read: Tensor = self.last(positions_mean(self.activation(self.hidden(features))))
        return read
