"""Virtual batch normalisation in the critic: a picture's score does not depend on its neighbours in the batch.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.4. Deviation: the paper uses
it in the generator alone, for its cost (the reference passes through the network at every call); here it takes the
place of the critic's batch normalisation, which lets pictures of a batch give each other away.

The reference is the first real batch that the critic is shown, as it is shown: with its condition, augmented or noisy
where another stabiliser made it so. Each process of several has a reference of its own, and a resumed run goes on with
the first one's in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Objective
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.late_buffers import LateBuffers
from i2i.networks.layers.normalisation import has_batch_norm
from i2i.networks.layers.virtual_batch_norm import reference_seen, virtual

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel


class VirtualBatchNormalisation(Stabiliser):
    """`reference` is how many pictures are kept to normalise by, or as many as the first batch has."""

    def __init__(self, *, reference: int = 16) -> None:
        super().__init__()
        if reference < 1:
            raise ValueError(f"reference is a number of pictures, 1 or more; got {reference}")
        self.reference = reference

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """A critic without batch normalisation has nothing to replace."""
        if has_batch_norm(discriminator):
            return None
        return "wants a critic with batch normalisation, to replace it; set discriminator.norm to batch"

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """The same layers with the other normalisation, behind a reference batch."""
        virtual(network)
        return ReferencedCritic(network, pictures=self.reference)

    def generator_weights(self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None) -> dict[str, Tensor]:
        """No weights; where the generator has the first turn of all, the critic is shown real pictures before."""
        critics = [part for part in duel.discriminator.modules() if isinstance(part, ReferencedCritic)]
        if any(critic.reference.numel() == 0 for critic in critics):
            with torch.no_grad():
                duel.judge(real, condition=condition)
        return {}


class ReferencedCritic(LateBuffers):
    """A critic that looks at a reference batch before it judges: the first `pictures` pictures of its first batch.

    Before there is a reference, in evaluation, each picture is normalised by itself. Whatever else is asked of it is
    asked of the critic inside: `multiple`, `minimum`, `score` ...
    """

    late: ClassVar[tuple[str, ...]] = ("reference",)
    reference: Tensor

    def __init__(self, network: nn.Module, *, pictures: int) -> None:
        super().__init__()
        self.network = network
        self.pictures = pictures
        self.register_buffer("reference", torch.empty(0))

    def __getattr__(self, name: str) -> Any:
        """What this wrapper does not have, its network may."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "network":
                raise
            return getattr(self.network, name)

    def forward(self, planes: Tensor) -> CriticOutput:
        """Judge (N, C, H, W)."""
        if self.training and self.reference.numel() == 0:
            self.reference = planes.detach()[: self.pictures].to(self.reference).clone()
        if self.reference.numel() == 0:
            return self.network(planes)  # type: ignore[no-any-return]
        # In one layout, whatever a checkpoint or an engine made of it: the sums are the same to the bit.
        with reference_seen(self.network, self.reference.contiguous()):
            return self.network(planes)  # type: ignore[no-any-return]
