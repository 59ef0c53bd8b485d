"""The whole translator as one torch module: uint8 pictures in, uint8 pictures out.

Sizing, scaling and cropping back live here and nowhere else: the torch session runs this module and the export traces
it. A translator is deterministic: dropout is off and batch normalisation uses its running statistics. The paper's
published pictures keep dropout and batch statistics on when translating; then one picture has many outputs and each
depends on its batch, which an embedded model must not do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.weights import sizing
from i2i.weights.pixels import decode, encode


class Wrapped(nn.Module):
    """A generator with everything that lies between it and pictures.

    The generator is called with planes (N, C, H, W) in the card's value range, or with the latent (N, Z), and, when
    the card has a condition, with that as the second argument. It gives planes (N, C', H * scale, W * scale).
    """

    def __init__(self, generator: nn.Module, card: ImageCard) -> None:
        super().__init__()
        self.generator = generator
        self.card = card

    def forward(self, source: Tensor, condition: Tensor | None = None) -> Tensor:
        """Translate a batch; the generator's mode and buffers are afterwards what they were.

        `source`: uint8 (N, H, W, C), or float32 (N, Z) where the card has a `latent`. `condition`: int64 (N,) for
        domains, float32 (N, K) for attributes and weights of domains. Returns uint8 (N, H * scale, W * scale, C').
        Raises `I2IError`: E_CONDITION for a missing or surplus condition, E_SIZE for a size or shape not taken; and
        IndexError for the number of a domain that is not there.
        """
        self._check(source, condition)
        conditions = () if condition is None else (self._known(condition),)
        with evaluating(self.generator):
            if self.card.latent is not None:
                return decode(self.generator(source, *conditions), self.card.target, self.card.value_range)
            fitted = sizing.fit(source, self.card.sizing, self._planes)
            output = self.generator(fitted.planes, *conditions)
        output = sizing.restore(output, fitted, self.card.sizing, scale=self.card.scale)
        return decode(output, self.card.target, self.card.value_range)

    def _planes(self, picture: Tensor) -> Tensor:
        return encode(picture, self.card.source, self.card.value_range)

    def _known(self, condition: Tensor) -> Tensor:
        """The condition, unless it is the number of a domain that is not there, which fails here and in the graph."""
        if self.card.condition is None or self.card.condition.port != "domain":
            return condition
        return within(condition, len(self.card.condition.names))

    def _check(self, source: Tensor, condition: Tensor | None) -> None:
        if (condition is None) != (self.card.condition is None):
            word = "needs a" if condition is None else "takes no"
            raise I2IError("E_CONDITION", f"the model '{self.card.name}' {word} domain or condition")
        if self.card.latent is None:
            wanted, kind, rank, last = "uint8 [N,H,W,C]", torch.uint8, 4, self.card.source.channels
        else:
            wanted, kind, rank, last = "float32 [N,Z]", torch.float32, 2, self.card.latent
        if source.dtype != kind or source.ndim != rank or source.shape[-1] != last:
            came = f"{str(source.dtype).removeprefix('torch.')} {list(source.shape)}"
            message = f"the model '{self.card.name}' takes {wanted} with {last} in the last place, got {came}"
            raise I2IError("E_SIZE", message)


def within(index: Tensor, count: int) -> Tensor:
    """Numbers int64 (N,) as they are, if all are 0..`count` - 1; torch and onnxruntime's CPU engine fail at any other.

    ONNX defines numbers from -`count` on, counted from the end, and OneHot gives zeros for what is too large: both
    would make a picture of something else without a word. So every number that is not there becomes `count`, and a
    look-up in a table of `count` rows fails at that.
    """
    there = torch.arange(count, device=index.device)
    inside = (index >= 0) & (index < count)
    return torch.index_select(there, 0, torch.where(inside, index, count))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every submodule has the mode that it had."""
    active = [part for part in module.modules() if part.training]
    if not active:
        yield
        return
    module.eval()
    try:
        yield
    finally:
        for part in active:
            part.training = True
