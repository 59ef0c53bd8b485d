"""Labels that a discriminator learns, softened or now and then swapped: what objectives with labels share.

Smoothing: Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.4, after Szegedy
et al. 2016, "Rethinking the Inception Architecture for Computer Vision", arXiv 1512.00567, section 7. One-sided
smoothing lowers `real_label` alone (0.9). Two-sided smoothing raises `fake_label` as well, which Salimans et al. warn
of: where there are fake samples and no real ones the best discriminator is then flat, and they are not driven away.
Swapping: Chintala et al. 2016, "How to Train a GAN?", tip 6. The paper on smoothing does not have it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from i2i.adversarial.objectives.objective import Judged, Objective


class Labelled(Objective):
    """The discriminator learns `real_label` and `fake_label`; both count in its own losses only.

    Each sample of a batch is given the other label with `flip_probability` (0 up to, not including, 0.5): one draw a
    sample, for all its patches, and another one for the fake sample beside it.
    """

    # Between which values labels make sense.
    label_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def __init__(self, *, real_label: float = 1.0, fake_label: float = 0.0, flip_probability: float = 0.0) -> None:
        super().__init__()
        low, high = self.label_range
        finite = math.isfinite(real_label) and math.isfinite(fake_label)
        if not (finite and low <= fake_label < real_label <= high):
            got = f"got real_label {real_label} and fake_label {fake_label}"
            raise ValueError(f"labels lie in {low:g}..{high:g}, real_label above fake_label; {got}")
        if not 0 <= flip_probability < 0.5:
            raise ValueError(f"flip_probability lies in 0..0.5, below 0.5; got {flip_probability}")
        self.real_label = real_label
        self.fake_label = fake_label
        self.flip_probability = flip_probability

    @abstractmethod
    def distance(self, score: Tensor, label: Tensor | float) -> Tensor:
        """How far each score is from its label; `label` is one number or has a number for each sample."""

    def discriminator(self, real: Judged, fake: Judged) -> dict[str, Tensor]:
        """The mean distances of real and fake scores to their labels."""
        real_label = self._dealt(real.score, self.real_label, self.fake_label)
        fake_label = self._dealt(fake.score, self.fake_label, self.real_label)
        return {
            "d_real": self.distance(real.score, real_label).mean(),
            "d_fake": self.distance(fake.score, fake_label).mean(),
        }

    def _dealt(self, score: Tensor, label: float, other: float) -> Tensor | float:
        """The label, or when labels are swapped one for each sample, with as many dimensions as the scores."""
        if not self.flip_probability:
            return label
        one_each = (score.shape[0], *[1] * (score.ndim - 1))
        swapped = torch.rand(one_each, device=score.device) < self.flip_probability
        return score.new_full(one_each, label).masked_fill(swapped, other)
