"""Feature matching: the generator's images are to look like real ones in the features of the discriminator.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.1: the squared distance of
the mean features of a real and of a fake batch, in place of the adversarial loss. Wang et al. 2018, "High-Resolution
Image Synthesis and Semantic Manipulation with Conditional GANs" (pix2pixHD), arXiv 1711.11585, equations 4 and 5: the
absolute distance of the features of each image to those of its truth, over all layers, beside the adversarial loss.

Deviation from Salimans: the mean over the features instead of the norm's sum, as in their released code for MNIST, so
that a weight means the same for every picture size. (pix2pixHD divides by the number of features as well.)
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from i2i.adversarial.objectives.objective import Judged
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.losses.precision import at_least_float32


class FeatureMatching(Stabiliser):
    """Adds `g_feature_matching`; the defaults are Salimans', pix2pixHD's are weight 10, l1, all and alone off.

    `distance` l2: squared, of the batch's mean features, which also fits images that are no pairs. l1: absolute, of
    each image and the real one in its place, for methods on pairs. `layers`: the last ones before the score, or the
    sum over all. With `alone` it takes the place of the adversarial loss.
    """

    sees_real: ClassVar[bool] = True

    def __init__(
        self,
        *,
        weight: float = 1.0,
        distance: Literal["l2", "l1"] = "l2",
        layers: Literal["last", "all"] = "last",
        alone: bool = True,
    ) -> None:
        super().__init__()
        if not weight > 0:
            raise ValueError(f"weight is above 0, got {weight}")
        self.weight = weight
        self.distance = distance
        self.layers = layers
        self.replaces_adversarial = alone

    def generator_penalty(self, fake: Judged, *, real: Judged | None) -> dict[str, Tensor]:
        """How far the fake images' features are from the real ones', which are given (detached)."""
        assert real is not None, "the duel judges the real batch for a stabiliser that sees it"
        chosen = slice(-1 if self.layers == "last" else 0, None)
        pairs = zip(real.output.features[chosen], fake.output.features[chosen], strict=True)
        distances = [self._distance(at_least_float32(r.detach()), at_least_float32(f)) for r, f in pairs]
        if not distances:
            raise ValueError("feature_matching wants a critic that returns features; take discriminator.type patchgan")
        return {"g_feature_matching": self.weight * torch.stack(distances).sum()}

    def _distance(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.distance == "l2":
            return (real.mean(0) - fake.mean(0)).square().mean()
        return (real - fake).abs().mean()
