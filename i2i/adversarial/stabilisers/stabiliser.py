"""What a stabiliser is: hooks around the discriminator, all of which do nothing by default."""

from __future__ import annotations

from torch import Tensor, nn


class Stabiliser(nn.Module):
    """Base class; a stabiliser overrides the hooks it needs. State that must survive a resume lives in buffers."""

    def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Change what the discriminator sees: the image to judge and the condition planes beside it, if any.

        Called for real and for fake images, in both players' turns; must be differentiable in `image`.
        """
        return image, condition
