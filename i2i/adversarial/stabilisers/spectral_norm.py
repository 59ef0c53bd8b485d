"""Spectral normalisation: every layer of the critic is divided by its largest singular value.

Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", arXiv 1802.05957, section 2.1 and
algorithm 1. A convolution's weights count as a matrix of outputs x everything else.

Deviations: the power iteration goes on whenever the critic is looked at (real, fake, penalties, in the generator's turn
as well), not once per step, so it follows the weights more closely; and it starts with 15 iterations.
"""

from __future__ import annotations

from torch import nn
from torch.nn.utils import parametrizations

from i2i.adversarial.stabilisers.reparametrised import plain_layers
from i2i.adversarial.stabilisers.stabiliser import Stabiliser


class SpectralNorm(Stabiliser):
    """Convolutions and linear layers of norm 1, up to the error of so many power `iterations` a look.

    The vectors of the iteration are buffers of the critic and are saved with it.
    """

    def __init__(self, *, iterations: int = 1) -> None:
        super().__init__()
        if iterations < 1:
            raise ValueError(f"iterations is at least 1, got {iterations}")
        self.iterations = iterations

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """Normalise every layer, in place. Raises ValueError beside another normalisation of the weights."""
        for layer in plain_layers(network, formula="SpectralNorm"):
            parametrizations.spectral_norm(layer, n_power_iterations=self.iterations)
        return network
