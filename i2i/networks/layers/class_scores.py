"""A critic that knows classes: its score says how much a picture looks like any of them.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 5: a classifier of K classes
and a further one, "generated". A softmax does not change when the same number is taken from every logit, so the logit
of that further class is fixed at 0, and then D(x) = Z / (Z + 1), where Z is the sum of exp(l_k). This is the sigmoid of
log Z, which makes log Z the score of an ordinary critic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.last_layer import last_layer, positions_mean, shaped_like


class ClassScores(nn.Module):
    """A `critic` whose last layer gives `classes` logits in place of a score; the rest of it stays.

    `score` has the shape that it had before, one number for every position. `classes` (N, K) are the logits, their mean
    over the positions where there are several. The layer is still the child `score` of the critic inside, which is
    where stabilisers look for it. Raises ValueError for a critic without such a layer.
    """

    def __init__(self, critic: nn.Module, *, classes: int) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"classes are 1 or more, got {classes}")
        critic.score = shaped_like(last_layer(critic), classes)
        self.critic = critic

    def forward(self, planes: Tensor) -> CriticOutput:
        """Classify and score (N, C, H, W)."""
        output: CriticOutput = self.critic(planes)
        logits = output.score.to(torch.promote_types(output.score.dtype, torch.float32))
        return output._replace(score=logits.logsumexp(1, keepdim=True), classes=positions_mean(logits))
