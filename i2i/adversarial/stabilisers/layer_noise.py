"""Layer noise: Gaussian noise on what the discriminator's layers pass on, so that it cannot rely on any single one.

After the networks that Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, released: their
critic for MNIST has noise of 0.5 behind every hidden layer, and of 0.3 on the picture (here: `instance_noise`).
Deviation: those layers end in their nonlinearity; here the noise comes right behind the weights, before normalisation
and nonlinearity, a place that every critic has. Fading in a straight line and the default strength are choices of this
file: activations there are of the order of 0.1 to 1 at the start of a training.
"""

from __future__ import annotations

from torch import nn
from torch.nn.modules.conv import _ConvNd

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.decay import DecayingSigma
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.gaussian_noise import GaussianNoise


class LayerNoise(Stabiliser):
    """`sigma` is the noise's standard deviation in the units of the activations.

    It falls to 0 over `decay_steps` steps of the discriminator; with 0 it stays. Every convolution and linear layer
    but the last gets noise, in training only.
    """

    def __init__(self, *, sigma: float = 0.1, decay_steps: int = 0) -> None:
        super().__init__()
        self.noise = DecayingSigma(sigma=sigma, decay_steps=decay_steps)

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """A critic of one layer has nothing inside."""
        if _hidden_layers(discriminator):
            return None
        return "wants a critic of several layers: there is none before the last; take instance_noise"

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """Put a noise layer behind every layer but the last, in place."""
        for name in _hidden_layers(network):
            owner, _, child = name.rpartition(".")
            layer = network.get_submodule(name)
            setattr(network.get_submodule(owner), child, nn.Sequential(layer, GaussianNoise(self.noise.now())))
        return network

    def after_discriminator_step(self, discriminator: nn.Module) -> None:
        """The noise gets a little weaker."""
        self.noise.advance()
        for layer in discriminator.modules():
            if isinstance(layer, GaussianNoise):
                layer.sigma.fill_(self.noise.now())


def _hidden_layers(network: nn.Module) -> list[str]:
    """The names of all layers with weights but the last: what belongs to a `score`, or the very last if none does."""
    names = [name for name, layer in network.named_modules() if isinstance(layer, _ConvNd | nn.Linear)]
    hidden = [name for name in names if "score" not in name.split(".")]
    return hidden if len(hidden) < len(names) else names[:-1]
