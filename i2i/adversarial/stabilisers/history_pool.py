"""History pool: the discriminator learns from earlier fake images as well, so that it does not forget them.

Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training",
arXiv 1612.07828, section 2.3, in the form of Zhu et al. 2017 (CycleGAN, arXiv 1703.10593, section 4): image by image
with a chance of one half, where the first paper exchanges half of every batch.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.losses.precision import at_least_float32
from i2i.networks.layers.late_buffers import LateBuffers


class HistoryPool(LateBuffers, Stabiliser):
    """Up to `size` earlier fake images: one time in two a stored one is shown and the new one takes its place.

    Until the pool is full every new image is stored and shown itself. A stored image keeps its condition; penalties,
    though, see it beside the condition of the present batch. All `size` images stand in memory and in every checkpoint.
    Each process of several has a pool of its own, and a resumed run starts them all from the first one's.
    """

    late: ClassVar[tuple[str, ...]] = ("stored",)
    stored: Tensor
    count: Tensor

    def __init__(self, *, size: int = 50) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"size is at least 1, got {size}")
        self.size = size
        # (size, C, H, W): each image with its condition behind it, so that the two cannot come apart.
        self.register_buffer("stored", torch.empty(0))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def discriminator_fake(self, fake: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """New or stored images (N, C, H, W) with their conditions."""
        new = at_least_float32(fake)
        planes = new if condition is None else torch.cat((new, condition), 1)
        if self.stored.numel() == 0:
            self.stored = planes.new_zeros((self.size, *planes.shape[1:]))
        shown = torch.stack([self._exchanged(image) for image in planes])
        channels = fake.shape[1]
        return shown[:, :channels], None if condition is None else shown[:, channels:]

    def _exchanged(self, new: Tensor) -> Tensor:
        """What is shown for one image (C, H, W)."""
        if self.count < self.size:
            self.stored[int(self.count)] = new
            self.count += 1
            return new
        if torch.rand(()) < 0.5:
            return new
        place = int(torch.randint(self.size, ()))
        old = self.stored[place].clone()
        self.stored[place] = new
        return old
