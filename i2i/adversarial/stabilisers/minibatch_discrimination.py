"""Minibatch discrimination: the critic sees how close each picture is to the others of its batch.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.2: a generator whose pictures
are all alike gives itself away. The layer is `i2i.networks.layers.minibatch_discrimination`, where f(x) is the mean of
the last features over the picture; its numbers are appended to those features as constant planes before the critic's
last layer. Deviation: the authors' code normalises the tensor's weights and adds a bias to the sums; here the last
layer's own bias does that.
"""

from __future__ import annotations

from torch import nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.before_score import append_before_score, has_score
from i2i.networks.layers.minibatch_discrimination import MinibatchCloseness


class MinibatchDiscrimination(Stabiliser):
    """`rows` numbers a picture (the paper's B), each from `row_length` learnt directions (C).

    Defaults: those of the CIFAR-10 critic that the authors released (their ImageNet critic has 300 and 50). The
    numbers are sums over the batch, so a network learns them for one batch size, and a batch of one says nothing. Real
    and fake batches are judged one after the other and never compared.
    """

    def __init__(self, *, rows: int = 100, row_length: int = 5) -> None:
        super().__init__()
        if rows < 1 or row_length < 1:
            raise ValueError(f"rows and row_length are 1 or more, got {rows} and {row_length}")
        self.rows = rows
        self.row_length = row_length

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """A critic without a last layer of its own has nowhere to append planes."""
        if has_score(discriminator):
            return None
        return "wants a critic with a last layer `score` to append planes to; take discriminator.type patchgan"

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """Append the planes and widen the last layer, in place."""

        def layer(features: int) -> nn.Module:
            return MinibatchCloseness(features, rows=self.rows, row_length=self.row_length)

        append_before_score(network, layer, planes=self.rows)
        return network
