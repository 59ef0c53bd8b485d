"""Laplacian pyramid of adversarial networks: a game of its own at every resolution.

Denton et al. 2015, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks", arXiv 1506.05751,
section 3.1: the coarsest level is a GAN; every finer one a conditional GAN, whose generator adds detail to the low-pass
picture and whose critic sees the sum. In training the low-pass picture is that of the real picture, so that no level
waits for another; only sampling chains them.

Deviations: all levels train side by side, in every step; each turn shows both a real and a fake picture, where the
paper tosses a coin; the critic is given the low-pass picture beside the sum, not in it alone, so that it can tell which
detail belongs to what; all critics are the recipe's, where the paper's coarsest one is dense (`coarse_discriminator`).

No level waits for another, so that the coarsest, whose turns are cheap and whose mistakes all others inherit, may have
more turns than the others. With `l1_weight` the finer levels are also drawn to the real detail that belongs to their
low-pass picture, as in pix2pix (Isola et al. 2017, arXiv 1611.07004, equation 4): little of it is left to chance, and
a game alone takes long to find what a distance tells at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.data.images import ImageBatch
from i2i.errors import I2IError
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l1
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks import NETWORKS
from i2i.networks.lapgan import LAPGAN
from i2i.networks.layers.pyramid import doubled, pyramid


class LaplacianPyramid(Method):
    """The generator `lapgan` and a discriminator for each of its levels, `latent_channels` numbers at the coarsest.

    The discriminators are players by their level's size: `discriminator_8`, `discriminator_16` ... One that knows a
    single size is made for its level's. `coarse_discriminator`, a network of the table and its options, takes the
    recipe's place at the coarsest level: `{type: mlp_critic, channels: 600}`.

    `l1_weight` is that of the mean distance between a finer level's picture and the real one. With `coarse_turns` above
    1 a batch comes apart into so many: each is a turn of the coarsest level, and the last one a turn of the others too.
    Raises ValueError for parts that fit no pyramid.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"sample": ("latent", "target")}

    def __init__(
        self,
        parts: Parts,
        *,
        latent_channels: int = 100,
        l1_weight: float = 0.0,
        coarse_turns: int = 1,
        coarse_discriminator: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if latent_channels < 1:
            raise ValueError(f"latent_channels is 1 or more, got {latent_channels}")
        if coarse_turns < 1:
            raise ValueError(f"coarse_turns is 1 or more, got {coarse_turns}")
        if l1_weight < 0:
            raise ValueError(f"l1_weight is 0 or more, got {l1_weight:g}")
        generator = parts.generator(latent_channels, parts.target_planes)
        if not isinstance(generator, LAPGAN):
            raise ValueError("it trains a generator of several levels: set generator.type to lapgan")
        self.generator = generator
        self.latent_channels = generator.latent_channels
        self.l1_weight = l1_weight
        self.coarse_turns = coarse_turns
        planes, (coarsest, *finer) = parts.target_planes, generator.sizes
        other = parts if coarse_discriminator is None else replace(parts, discriminator=_maker(coarse_discriminator))
        refinements = zip(generator.refinements, finer, strict=True)
        self.duels = nn.ModuleList(
            [
                other.duel(planes, generator=generator.coarse, size=coarsest),
                *(parts.duel(2 * planes, generator=level, size=side) for level, side in refinements),
            ]
        )
        self._check()

    def players(self) -> dict[str, nn.Module]:
        """The generator of all levels, whose weights meet in no loss, and each level's discriminator."""
        return {"generator": self.generator} | {name: duel.discriminator for name, duel in self._games()}

    def other_sizes(self) -> dict[str, int]:
        """Every level's discriminator."""
        return {name: side for (name, _), side in zip(self._games(), self.generator.sizes, strict=True)}

    def generators(self) -> dict[str, nn.Module]:
        """The one generator, noise to picture."""
        return {"sample": self.generator}

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """Play all levels on the last of the batch's parts, and before that the coarsest one on each of the others."""
        if len(batch.image) % self.coarse_turns:
            message = f"method.coarse_turns {self.coarse_turns} does not divide a batch of {len(batch.image)} pictures"
            raise I2IError("E_RECIPE", message)
        *more, last = (pyramid(part, len(self.duels)) for part in batch.image.chunk(self.coarse_turns))
        for real in more:
            self._play(real[:1], engine)
        return self._play(last, engine)

    def _play(self, real: Sequence[Tensor], engine: Engine) -> dict[str, Tensor]:
        """A turn of the levels whose real pictures are given: draw their fakes, train each discriminator, then the
        generator.
        """
        games = self._games()[: len(real)]
        generator_plays = [duel.generator_plays() for _, duel in games]
        logs: dict[str, Tensor] = {}

        with engine.forward(), torch.set_grad_enabled(any(generator_plays)):
            low_pass, fake = self._fakes(real)

        for level, (name, duel) in enumerate(games):
            with engine.turn(name, stepped=lambda duel=duel: duel.stepped("discriminator")) as turn:  # type: ignore[misc]
                losses, indicators = duel.discriminator_losses(real[level], fake[level], condition=low_pass[level])
                logs |= self._of(level, indicators | turn.minimise(losses))

        if any(generator_plays):
            playing = [level for level, plays in enumerate(generator_plays) if plays]
            with engine.turn("generator", stepped=lambda: self._generator_stepped(playing)) as turn:
                losses = {}
                for level in playing:
                    duel = games[level][1]
                    found = duel.generator_losses(fake[level], real=real[level], condition=low_pass[level])
                    if level and self.l1_weight:
                        found |= {"g_l1": self.l1_weight * l1(at_least_float32(fake[level]), real[level])}
                    losses |= self._of(level, found)
                logs |= turn.minimise(losses)
        return logs

    def _fakes(self, real: Sequence[Tensor]) -> tuple[list[Tensor | None], list[Tensor]]:
        """What each level is conditioned on (nothing at the coarsest) and what it makes of that and new noise."""
        numbers = real[0].new_empty(len(real[0]), self.latent_channels - self.generator.more_latent).normal_()
        low_pass = [doubled(picture) for picture in real[:-1]]
        refinements = zip(self.generator.refinements, low_pass, strict=False)  # those whose real pictures are given
        noise = self.generator.fine_noise
        made = [part(low, torch.randn_like(low[:, :1]) if noise else None) for part, low in refinements]
        return [None, *low_pass], [self.generator.coarse(numbers), *made]

    def _games(self) -> list[tuple[str, Duel]]:
        """The duels by their players' names, from the coarsest on."""
        names = [f"discriminator_{side}" for side in self.generator.sizes]
        return list(zip(names, self.duels, strict=True))  # type: ignore[arg-type]

    def _of(self, level: int, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of one level, by names that differ from the others'."""
        return {f"{name}_{self.generator.sizes[level]}": loss for name, loss in losses.items()}

    def _generator_stepped(self, levels: Sequence[int]) -> None:
        for level in levels:
            self._games()[level][1].stepped("generator")

    def _check(self) -> None:
        """Raise ValueError for a discriminator that does not take its level's size."""
        for (name, duel), side in zip(self._games(), self.generator.sizes, strict=True):
            for part in duel.discriminator.modules():
                only, smallest = getattr(part, "size", None), getattr(part, "minimum", None)
                if isinstance(only, int) and only != side:
                    raise ValueError(f"{name} takes {only} pixels alone; patchgan and pixelgan take every level's")
                if isinstance(smallest, int) and smallest > side:
                    raise ValueError(f"{name} takes {smallest} pixels and more; patchgan with fewer layers takes less")


def _maker(network: dict[str, Any]) -> Callable[..., nn.Module]:
    """What makes a discriminator for so many planes and a size. Raises ValueError for options that are none of its."""
    options = {name: value for name, value in network.items() if name != "type"}

    def made(planes: int, *, size: int) -> nn.Module:
        kind = NETWORKS[network.get("type", "")]
        known = inspect.signature(kind).parameters
        if "out_channels" in known:
            raise ValueError(f"coarse_discriminator {network} is no discriminator")
        sized = {"size": size} if "size" in known else {}
        try:
            critic: nn.Module = kind(**options, in_channels=planes, **sized)
        except TypeError as error:
            raise ValueError(f"coarse_discriminator {network}: {error}") from None
        return critic

    return made
