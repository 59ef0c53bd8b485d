"""BEGAN: an autoencoder as the critic, and a balance that a controller keeps between the two players.

Berthelot et al. 2017, "BEGAN: Boundary Equilibrium Generative Adversarial Networks", arXiv 1703.10717, section 3.4 (the
three lines of the objective) and section 3.4.1 (the measure of convergence). L(v), the error with which the critic
rebuilds v, is minus its score.

Deviation: L(G(z)) in the update of k is that of the discriminator's turn, on the fake images that it has just learnt
from; the paper's generator draws others. k moves once for every part of an accumulated batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Judged, Objective


class Began(Objective):
    """`diversity_ratio` is the paper's gamma, the E L(G(z)) / E L(x) to be held: 0..1, lower for sharper, less diverse
    pictures. `k_rate` is its lambda_k, the step of the controller.

    Indicators: `began_k`, how much the discriminator cares about fake images (0..1, 0 at first), after the step;
    `began_m`, the measure of convergence, which falls as training goes on.
    """

    k: Tensor

    def __init__(self, *, diversity_ratio: float = 0.5, k_rate: float = 0.001) -> None:
        super().__init__()
        if not 0 <= diversity_ratio <= 1:
            raise ValueError(f"diversity_ratio lies in 0..1, got {diversity_ratio}")
        if k_rate < 0:
            raise ValueError(f"k_rate is not negative, got {k_rate}")
        self.diversity_ratio = diversity_ratio
        self.k_rate = k_rate
        self.register_buffer("k", torch.zeros(()))

    def refusal(self, discriminator: nn.Module) -> str | None:
        """Only an autoencoder rebuilds what it sees; a network says so by its class attribute of that name."""
        if getattr(discriminator, "autoencoder", False):
            return None
        return "wants a critic that scores by how well it rebuilds; set discriminator.type to autoencoder"

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """L(x) and -k L(G(z))."""
        # k moves on before the losses are differentiated; the minus has made a copy of it.
        return {"d_real": _error(real), "d_fake": -self.k * _error(fake)}

    def generator(self, fake: Judged, *, real: Judged | None = None) -> Tensor:
        """L(G(z))."""
        return _error(fake)

    def advance(self, real: Judged, fake: Judged) -> None:
        """Set k to k + lambda_k (gamma L(x) - L(G(z))), held in 0..1."""
        self.k.copy_((self.k + self.k_rate * self._imbalance(real, fake)).clamp(0, 1))

    def indicators(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """The present k, and the measure L(x) + |gamma L(x) - L(G(z))|."""
        measure = _error(real) + self._imbalance(real, fake).abs()
        return {"began_k": self.k.clone(), "began_m": measure.detach()}

    def _imbalance(self, real: Judged, fake: Judged) -> Tensor:
        return self.diversity_ratio * _error(real) - _error(fake)


def _error(judged: Judged) -> Tensor:
    """The mean error over the batch."""
    return -judged.score.mean()
