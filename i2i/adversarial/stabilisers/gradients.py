"""Gradients of the critic's scores with respect to the images it judges: what gradient penalties are made of.

A critic of patches has a score for each patch. Its word on an image is taken to be their sum, as is usual for penalties
on such critics (the papers' critics have one score). When several images are packed into one, the critic's samples are
the packs, so a gradient is that of a whole pack.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from i2i.adversarial.stabilisers.constant_slopes import ConstantSlopes
from i2i.networks.layers.normalisation import has_batch_norm

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel


def score_gradients(duel: Duel, images: Tensor, condition: Tensor | None) -> Tensor:
    """The gradient of every sample's score at images (N, C, H, W), in one row (samples, values) each.

    The rows depend on the critic's weights, so a penalty on them can be minimised.
    """
    images = images.detach().requires_grad_()
    with ConstantSlopes():
        score = duel.judge(images, condition=condition).score
    (gradients,) = torch.autograd.grad(score.sum(), images, create_graph=True)
    return gradients.reshape(samples(duel, images), -1)


def score_slopes(duel: Duel, images: Tensor, condition: Tensor | None) -> Tensor:
    """The Euclidean norm of every sample's gradient; where a gradient is zero, its norm pulls in no direction."""
    slopes: Tensor = torch.linalg.vector_norm(score_gradients(duel, images, condition), dim=1)
    return slopes


def samples(duel: Duel, images: Tensor) -> int:
    """How many samples the critic sees in so many images."""
    return images.shape[0] // math.prod(stabiliser.packed for stabiliser in duel.stabilisers)


def one_per_sample(duel: Duel, images: Tensor) -> Tensor:
    """Uniform random numbers of 0..1, shaped (N, 1, 1, 1): one per sample, so the same for all images of a pack."""
    count = samples(duel, images)
    drawn = torch.rand(count, 1, 1, 1, dtype=images.dtype, device=images.device)
    return drawn.repeat_interleave(images.shape[0] // count, 0)


def batch_norm_refusal(discriminator: nn.Module) -> str | None:
    """Why a critic cannot have its gradients penalised one sample at a time; None when it can.

    Batch normalisation makes every score depend on the whole batch (Gulrajani et al. 2017, section 4). Layers that
    merely show a critic the variety of its batch do so as well, but were used with these penalties to good effect.
    """
    if not has_batch_norm(discriminator):
        return None
    return (
        "wants a critic without batch normalisation: its samples would not be scored one by one; "
        "set discriminator.norm to instance or none"
    )
