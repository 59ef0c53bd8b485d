"""Minibatch standard deviation: the critic sees how much the pictures of its batch differ.

Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation", arXiv 1710.10196,
section 3. The layer is `i2i.networks.layers.minibatch_stddev`; its number is appended to the last features as a
constant plane before the critic's last layer ("towards the end of the discriminator").
"""

from __future__ import annotations

from torch import nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.before_score import append_before_score, has_score
from i2i.networks.layers.minibatch_stddev import MinibatchDeviation


class MinibatchStddev(Stabiliser):
    """`group` pictures are compared with each other (the authors' code: 4), or the largest divisor of the batch below.

    Real and fake batches are judged one after the other and never compared. A batch of one says nothing.
    """

    def __init__(self, *, group: int = 4) -> None:
        super().__init__()
        if group < 2:
            raise ValueError(f"group is a number of pictures to compare, 2 or more; got {group}")
        self.group = group

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """A critic without a last layer of its own has nowhere to append a plane."""
        if has_score(discriminator):
            return None
        return "wants a critic with a last layer `score` to append a plane to; take discriminator.type patchgan"

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """Append the plane and widen the last layer, in place."""
        append_before_score(network, lambda features: MinibatchDeviation(group=self.group), planes=1)
        return network
