"""One more font for a finished zi2zi model, learnt from some tens or hundreds of its glyphs.

Only the new style's numbers are learnt: its row of the embedding, and with `style_norm` its scales and shifts. All the
other weights stay, and with them every old font, to the bit. Or the decoder learns as well, which writes the new font
better and the old ones no longer the same. What is minimised is L1, pixel by pixel, with the translator as it is
shipped (running statistics, no dropout): the critic of the training is not part of a finished model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from i2i.data.sampler import order
from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard
from i2i.losses.reconstruction import l1
from i2i.networks import NETWORKS
from i2i.networks.zi2zi import Zi2ZiGenerator, with_one_more_style
from i2i.weights.pixels import encode

Learn = Literal["row", "decoder"]
Pair = tuple[np.ndarray, np.ndarray]


def grown(generator: nn.Module, card: ImageCard, name: str) -> tuple[Zi2ZiGenerator, ImageCard]:
    """The generator with one style more, which nobody has learnt yet, and its card.

    Raises `I2IError`: E_CKPT_MISMATCH for a model of another kind, E_CONDITION for a name that is there already.
    """
    condition = card.condition
    if not isinstance(generator, Zi2ZiGenerator) or condition is None:
        raise I2IError("E_CKPT_MISMATCH", f"model '{card.name}' is no zi2zi, which alone can learn one more font")
    if name in condition.names:
        raise I2IError("E_CONDITION", f"model '{card.name}' writes '{name}' already; give the new font another name")
    names = (*condition.names, name)
    arguments = {**card.network.arguments, "condition_channels": len(names)}
    made: Zi2ZiGenerator = NETWORKS[card.network.type](**arguments)
    made.load_state_dict(with_one_more_style(generator.state_dict()))
    told = Condition(kind="domains", names=names, mixed=condition.mixed)
    network = card.network.model_copy(update={"arguments": arguments})
    return made.eval(), card.model_copy(update={"condition": told, "network": network, "metrics": {}})


def learn_last_style(
    generator: Zi2ZiGenerator,
    card: ImageCard,
    pairs: Sequence[Pair],
    *,
    learn: Learn = "row",
    steps: int = 1000,
    batch_size: int = 16,
    learning_rate: float | None = None,
    seed: int = 0,
    said: Callable[[int, float], None] = lambda step, loss: None,
) -> None:
    """Learn the last style from `pairs` of glyphs, source and target uint8 (H, W, 1) of the card's size, in place.

    `learn`: the style's `row` alone, or the `decoder` as well. Adam at `learning_rate` (1e-2 for a row, 2e-4 with the
    decoder), on half a cosine down to 0. `said` is told every step's loss. Raises ValueError for nothing to learn from.
    """
    if not pairs or learn not in get_args(Learn):
        raise ValueError(f"it learns row or decoder from at least one glyph; got '{learn}' and {len(pairs)} glyphs")
    source, target = (
        encode(torch.from_numpy(np.stack(side)), pixels, card.value_range)
        for side, pixels in zip(zip(*pairs, strict=True), (card.source, card.target), strict=True)
    )
    weights = _learnt(generator, learn)
    number = generator.condition_channels - 1
    rate = learning_rate or (1e-2 if learn == "row" else 2e-4)
    adam = torch.optim.Adam(weights, lr=rate, betas=(0.5, 0.999))
    generator.requires_grad_(False)
    for weight in weights:
        weight.requires_grad_(True)
    try:
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
            chosen = torch.from_numpy(_drawn(seed, step, len(pairs), batch_size))
            made = generator(source[chosen], torch.full((len(chosen),), number))
            loss = l1(made, target[chosen])
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            said(step, float(loss.detach()))
    finally:
        for weight in weights:
            weight.requires_grad_(False)
        generator.requires_grad_(True)


def _learnt(generator: Zi2ZiGenerator, learn: Learn) -> list[Tensor]:
    """What learns. The whole tables of styles: rows of styles that are not in the batch have a gradient of exactly 0,
    by which Adam does not move them.
    """
    tables = [tensor for name, tensor in generator.named_parameters() if name.endswith("scale_and_shift.weight")]
    if learn == "row":
        return [generator.embedding.rows, *tables]
    return [generator.embedding.rows, *generator.decoder.parameters(), *generator.last.parameters()]


def _drawn(seed: int, step: int, count: int, size: int) -> np.ndarray:
    """The glyphs of a step: each once in an epoch, in an order of its own."""
    places = range(step * size, (step + 1) * size)
    orders = {epoch: order(seed, epoch, count) for epoch in {place // count for place in places}}
    return np.array([orders[place // count][place % count] for place in places])
