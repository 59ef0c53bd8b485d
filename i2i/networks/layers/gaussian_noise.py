"""Gaussian noise between two layers, in training only."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GaussianNoise(nn.Module):
    """Adds noise of the standard deviation `sigma`, in the units of the activations; a buffer, so that it can decay."""

    sigma: Tensor

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.register_buffer("sigma", torch.tensor(float(sigma)))

    def forward(self, activations: Tensor) -> Tensor:
        """Activations of any shape; each number gets its own draw."""
        if not self.training or float(self.sigma) == 0:
            return activations
        return activations + self.sigma.to(activations.dtype) * torch.randn_like(activations)
