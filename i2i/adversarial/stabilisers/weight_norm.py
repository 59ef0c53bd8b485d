"""Weight normalisation: length and direction of every weight vector of the critic are learnt apart.

Salimans and Kingma 2016, "Weight Normalization: A Simple Reparameterization to Accelerate Training of Deep Neural
Networks", arXiv 1602.07868, equation 2: w = g * v / |v|, a vector for each output.

Deviation: without the data-dependent initialisation of section 3; the critic begins with the weights it had.
"""

from __future__ import annotations

from torch import nn
from torch.nn.modules.conv import _ConvTransposeNd
from torch.nn.utils import parametrizations

from i2i.adversarial.stabilisers.reparametrised import plain_layers
from i2i.adversarial.stabilisers.stabiliser import Stabiliser


class WeightNorm(Stabiliser):
    """Every convolution and linear layer learns g and v in place of its weights w."""

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """Split every layer's weights, in place. Raises ValueError beside another normalisation of the weights."""
        for layer in plain_layers(network, formula="WeightNorm"):
            outputs = 1 if isinstance(layer, _ConvTransposeNd) else 0
            parametrizations.weight_norm(layer, dim=outputs)
        return network
