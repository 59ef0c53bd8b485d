"""Packing: the discriminator judges several images at once, so a generator without variety gives itself away.

Lin et al. 2018, "PacGAN: The power of two samples in generative adversarial networks", arXiv 1712.04086, section 2.
"""

from __future__ import annotations

from torch import Tensor

from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.errors import I2IError


class Packing(Stabiliser):
    """`packed` images that follow each other in a batch become one, their planes behind each other.

    All of them are real or all are fake. Conditions are packed alike. To be listed after stabilisers that change
    single images, such as augmentations. Raises `I2IError` (E_RECIPE) for a batch that does not split into packs.
    """

    def __init__(self, *, packed: int = 2) -> None:
        super().__init__()
        if packed < 2:
            raise ValueError(f"packed is at least 2, got {packed}")
        self.packed = packed

    def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(N, C, H, W) to (N / packed, packed * C, H, W)."""
        return self._packs(image), None if condition is None else self._packs(condition)

    def _packs(self, planes: Tensor) -> Tensor:
        count, channels, height, width = planes.shape
        packs, rest = divmod(count, self.packed)
        if rest:
            fits = [f"{size * self.packed}" for size in (packs, packs + 1) if size]
            message = (
                f"packing shows the discriminator {self.packed} images in one; {count} do not split into such packs. "
                f"Choose training.batch_size so that each process and each of the accumulate_steps gets "
                f"{' or '.join(fits)}"
            )
            raise I2IError("E_RECIPE", message)
        return planes.reshape(packs, self.packed * channels, height, width)
