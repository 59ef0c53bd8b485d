"""The strength of a noise that fades out over the discriminator's steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DecayingSigma(nn.Module):
    """A standard deviation that falls in a straight line from `sigma` to 0 over `decay_steps` steps; 0 means never."""

    steps: Tensor

    def __init__(self, *, sigma: float, decay_steps: int) -> None:
        super().__init__()
        if not sigma > 0:
            raise ValueError(f"sigma is a standard deviation above 0, got {sigma}")
        if decay_steps < 0:
            raise ValueError(f"decay_steps is a number of steps, or 0 for no decay; got {decay_steps}")
        self.sigma = sigma
        self.decay_steps = decay_steps
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def now(self) -> float:
        """The present standard deviation."""
        left = 1 - int(self.steps) / self.decay_steps if self.decay_steps else 1.0
        return self.sigma * max(left, 0.0)

    def advance(self) -> None:
        """One step of the discriminator has passed."""
        self.steps += 1
