"""A small network that learns from real pictures what tells domains or attributes apart, to judge made ones.

Its word on made pictures means something only beside its word on real ones that it has not seen, and not much by
itself: a generator can please a classifier with texture that nobody sees (Szegedy et al. 2014, "Intriguing Properties
of Neural Networks", arXiv 1312.6199). So what it says stands beside distances and retrieval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

Picture = NDArray[np.uint8]  # H,W,C

STEPS = 800
MOST = 10_000  # pictures to learn from: more would only take memory, 800 steps see 51,200
SIDE = 64  # pixels it looks at, at most
_BATCH = 64
_WIDTHS = (16, 32, 64, 128)
_RATE = 3e-3
_SHIFT = 16  # a training picture is shifted by up to its side divided by this


class Judge:
    """Says of pictures, uint8 (H, W, C) of one size, which names they have: bool (N, K).

    With `exclusive` names exactly one, that of the largest logit, else those whose logit is above 0.
    """

    def __init__(self, network: nn.Module, *, exclusive: bool) -> None:
        self._network = network
        self._exclusive = exclusive

    def __call__(self, pictures: Sequence[Picture]) -> NDArray[np.bool_]:
        """Look at pictures."""
        logits = self._logits(pictures)
        if not self._exclusive:
            return np.asarray(logits.numpy() > 0)
        return np.asarray(F.one_hot(logits.argmax(1), logits.shape[1]).bool().numpy())

    def chances(self, pictures: Sequence[Picture]) -> NDArray[np.float64]:
        """How likely each name is of each picture: float64 (N, K), rows of `exclusive` names sum to 1."""
        logits = self._logits(pictures).double()
        return np.asarray((logits.softmax(1) if self._exclusive else logits.sigmoid()).numpy())

    def _logits(self, pictures: Sequence[Picture]) -> Tensor:
        with torch.inference_mode():
            return torch.cat([self._network(part) for part in torch.split(_planes(pictures), _BATCH)])


def taught(
    pictures: Sequence[Picture],
    has: NDArray[np.bool_],
    lacks: NDArray[np.bool_],
    *,
    exclusive: bool,
    steps: int = STEPS,
    progress: Callable[[], object] = lambda: None,
) -> Judge:
    """A judge that has learnt from pictures of one size, and which of K names each has and lacks, bool (N, K): neither
    where it is not known.

    Four halvings and a mean, AdamW, a cosine down to 0; every step sees pictures of all names (of attributes: with
    and without each) equally often, shifted a little. The same pictures give the same judge, on one machine. `progress`
    is called after each step.
    """
    planes, wanted, known = _planes(pictures), torch.from_numpy(has), torch.from_numpy(has | lacks)
    draws, pools = np.random.default_rng(0), _pools(has, lacks, exclusive=exclusive)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        network = _network(planes.shape[1], has.shape[1])
        optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            rows = torch.from_numpy(_drawn(pools, draws))
            logits = network(_shifted(planes[rows], draws))
            loss = _loss(logits, wanted[rows].float(), known[rows].float(), exclusive=exclusive)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            progress()
    return Judge(network.eval(), exclusive=exclusive)


def _network(channels: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in _WIDTHS:
        layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def _loss(logits: Tensor, wanted: Tensor, known: Tensor, *, exclusive: bool) -> Tensor:
    if exclusive:
        return F.cross_entropy(logits, wanted.argmax(1))
    return F.binary_cross_entropy_with_logits(logits, wanted, weight=known)


def _pools(has: NDArray[np.bool_], lacks: NDArray[np.bool_], *, exclusive: bool) -> list[NDArray[np.int64]]:
    """The rows that have each name, and, where names do not exclude each other, those that lack it."""
    pools = [np.flatnonzero(column) for column in (has.T if exclusive else np.concatenate([has.T, lacks.T]))]
    return [pool for pool in pools if len(pool)]


def _drawn(pools: Sequence[NDArray[np.int64]], draws: np.random.Generator) -> NDArray[np.int64]:
    """The rows of a batch, from each pool equally often."""
    return np.array([draws.choice(pools[number]) for number in draws.integers(len(pools), size=_BATCH)])


def _shifted(planes: Tensor, draws: np.random.Generator) -> Tensor:
    """The batch, each side moved by a random number of pixels; what comes in repeats the border."""
    most = max(1, min(planes.shape[2:]) // _SHIFT)
    top, left = draws.integers(0, 2 * most + 1, 2).tolist()
    padded = F.pad(planes, (most,) * 4, mode="replicate")
    return padded[:, :, top : top + planes.shape[2], left : left + planes.shape[3]]


def _planes(pictures: Sequence[Picture]) -> Tensor:
    """float32 (N, C, h, w) in -1..1, no side longer than `SIDE`."""
    planes = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    factor = SIDE / max(planes.shape[2:])
    if factor < 1:
        size = [max(1, round(side * factor)) for side in planes.shape[2:]]
        parts = torch.split(planes, _BATCH)
        planes = torch.cat([F.interpolate(part.float(), size=size, mode="bilinear", antialias=True) for part in parts])
    return planes.float() / 127.5 - 1.0
