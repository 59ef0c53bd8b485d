"""Minibatch discrimination: how close each picture of a batch is to the others, in directions that are learnt.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.2. The sum runs over all
pictures of the batch, the picture itself included, as the paper writes it (the authors' released code leaves it out);
the difference is a constant 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchCloseness(nn.Module):
    """Features (N, A), or (N, A, h, w) whose mean over the positions is taken, to closenesses (N, B).

    With the tensor T (A, B, C), M_i = f(x_i) T is B rows of C numbers, and o(x_i)_b is the sum over j of
    exp(-|M_ib - M_jb|_1): between 1 (nothing is near) and N (all are alike). Computed in float32 at least.

    T starts normal with the spread 1 / sqrt(A), which keeps M in the units of the features.
    """

    def __init__(self, features: int, *, rows: int, row_length: int) -> None:
        super().__init__()
        self.tensor = nn.Parameter(torch.randn(features, rows, row_length) / features**0.5)

    def forward(self, features: Tensor) -> Tensor:
        """The closeness of each picture to the batch, in every row."""
        with torch.autocast(features.device.type, enabled=False):
            exact = features.to(torch.promote_types(features.dtype, torch.float32))
            vectors = exact.flatten(2).mean(2) if exact.ndim > 2 else exact
            rows = torch.einsum("na,abc->nbc", vectors, self.tensor)
            distances = (rows[:, None] - rows[None]).abs().sum(3)
            return torch.exp(-distances).sum(1)
