"""R2: the critic's slope is pulled to 0 at the fake images.

Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", arXiv 1801.04406, equation 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from i2i.adversarial.stabilisers.zero_centred import ZeroCentred

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel


class R2(ZeroCentred):
    """gamma / 2 * E[|grad D(x)|^2] at fake images x."""

    def discriminator_penalty(
        self, duel: Duel, real: Tensor, fake: Tensor, condition: Tensor | None
    ) -> dict[str, Tensor]:
        """`d_r2`."""
        return self.penalty("d_r2", duel, fake, condition)
