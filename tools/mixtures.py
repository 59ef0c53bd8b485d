"""Mixtures of Gaussians in the plane, and how much of one a generator has found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """Gaussians of one deviation around centres (K, 2)."""

    centres: Tensor
    deviation: float

    def draw(self, count: int) -> Tensor:
        """Points (count, 2, 1, 1), each from a random mode."""
        modes = torch.randint(len(self.centres), (count,))
        points = self.centres[modes] + self.deviation * torch.randn(count, 2)
        return points.view(count, 2, 1, 1)

    def judged(self, points: Tensor) -> dict[str, float]:
        """Modes covered, the share of points within three deviations of one, and their reverse KL to uniform."""
        distance, mode = torch.cdist(points, self.centres).min(1)
        near = distance <= 3 * self.deviation
        kinds = len(self.centres)
        counts = torch.bincount(mode[near], minlength=kinds).double()
        shares = counts / max(float(counts.sum()), 1.0)
        divergence = float(torch.special.xlogy(shares, shares * kinds).sum()) if near.any() else math.log(kinds)
        return {
            "modes": float((counts >= 0.2 * len(points) / kinds).sum()),
            "high_quality": float(near.float().mean()),
            "reverse_kl": divergence,
        }


def mixture(name: str) -> Mixture:
    """The ring, the same with wide modes, or the grid."""
    if name in ("ring", "wide"):
        angles = torch.arange(8) * math.pi / 4
        return Mixture(2 * torch.stack((angles.cos(), angles.sin()), 1), 0.02 if name == "ring" else 0.2)
    line = torch.arange(-4.0, 5.0, 2.0)
    return Mixture(torch.cartesian_prod(line, line), 0.05)
