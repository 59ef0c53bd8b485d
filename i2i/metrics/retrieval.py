"""Whether an output is recognised: the share whose own truth is among the nearest of all truths."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from i2i.metrics.metric import mean, named
from i2i.metrics.of_features import OfFeatures


class Retrieval(OfFeatures):
    """Top-k retrieval: an output finds its truth where fewer than k other truths are more alike in features (cosine).

    It needs no pixel to agree and so fits sets without exact answers, such as one subject drawn in two styles. The
    same number for the untranslated pictures belongs beside it. Truths with equal features count for each other.
    Undefined for fewer than two pictures.
    """

    k: ClassVar[int]
    higher_is_better: ClassVar[bool | None] = True

    def compute(self) -> dict[str, float]:
        """`{name: share}`, 0..1; empty for fewer than two pictures."""
        return named(self.name, mean(self.per_image()))

    def per_image(self) -> list[float | None]:
        """1 for each output that finds its truth among all that were added so far, else 0."""
        if len(self) < 2:
            return [None] * len(self)
        return [float(rank < self.k) for rank in ranks(*self.gathered()).tolist()]


class Top1(Retrieval):
    """The share of outputs that are most like their own truth."""

    name = "top1"
    k = 1


class Top5(Retrieval):
    """The share of outputs whose own truth is one of the five most like them."""

    name = "top5"
    k = 5


def ranks(outputs: Tensor, truths: Tensor) -> Tensor:
    """How many truths are more alike to each output than its own: features N,D and N,D -> int64 [N], best 0."""
    likeness = F.normalize(outputs.double(), dim=1) @ F.normalize(truths.double(), dim=1).T
    # Rounding makes equal truths differ by a little, in one direction or the other.
    return (likeness > likeness.diagonal()[:, None] + 1e-12).sum(1)
