"""Laplacian pyramid of adversarial networks: a game of its own at every resolution.

Denton et al. 2015, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks", arXiv 1506.05751,
section 3.1: the coarsest level is a GAN; every finer one a conditional GAN, whose generator adds detail to the low-pass
picture and whose critic sees the sum. In training the low-pass picture is that of the real picture, so that no level
waits for another; only sampling chains them.

Deviations: all levels train side by side, a step of each in every step; each step shows both a real and a fake picture,
where the paper tosses a coin; the critic is given the low-pass picture beside the sum, not in it alone, so that it can
tell which detail belongs to what; all critics are the recipe's, where the paper's coarsest one is dense.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.data.images import ImageBatch
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks.lapgan import LAPGAN
from i2i.networks.layers.pyramid import doubled, pyramid


class LaplacianPyramid(Method):
    """The generator `lapgan` and a discriminator for each of its levels, `latent_channels` numbers at the coarsest.

    The discriminators are players by their level's size: `discriminator_8`, `discriminator_16` ... One that knows a
    single size is made for its level's. Raises ValueError for parts that fit no pyramid.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"sample": ("latent", "target")}

    def __init__(self, parts: Parts, *, latent_channels: int = 100) -> None:
        super().__init__()
        if latent_channels < 1:
            raise ValueError(f"latent_channels is 1 or more, got {latent_channels}")
        generator = parts.generator(latent_channels, parts.target_planes)
        if not isinstance(generator, LAPGAN):
            raise ValueError("it trains a generator of several levels: set generator.type to lapgan")
        self.generator = generator
        self.latent_channels = generator.latent_channels
        planes = parts.target_planes
        levels = [(planes, generator.coarse), *((2 * planes, part) for part in generator.refinements)]
        self.duels = nn.ModuleList(
            parts.duel(seen, generator=level, size=side)
            for (seen, level), side in zip(levels, generator.sizes, strict=True)
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
        """Draw fakes of every level, train each discriminator, then the generator."""
        real = pyramid(batch.image, len(self.duels))
        generator_plays = all(duel.generator_plays() for _, duel in self._games())
        logs: dict[str, Tensor] = {}

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            low_pass, fake = self._fakes(real)

        for level, (name, duel) in enumerate(self._games()):
            with engine.turn(name, stepped=lambda duel=duel: duel.stepped("discriminator")) as turn:  # type: ignore[misc]
                losses, indicators = duel.discriminator_losses(real[level], fake[level], condition=low_pass[level])
                logs |= self._of(level, indicators | turn.minimise(losses))

        if generator_plays:
            with engine.turn("generator", stepped=self._generator_stepped) as turn:
                losses = {}
                for level, (_, duel) in enumerate(self._games()):
                    found = duel.generator_losses(fake[level], real=real[level], condition=low_pass[level])
                    losses |= self._of(level, found)
                logs |= turn.minimise(losses)
        return logs

    def _fakes(self, real: Sequence[Tensor]) -> tuple[list[Tensor | None], list[Tensor]]:
        """What each level is conditioned on (nothing at the coarsest) and what it makes of that and new noise."""
        finest = real[-1]
        latent = torch.randn(len(finest), self.latent_channels, dtype=finest.dtype, device=finest.device)
        numbers, planes = self.generator.noise(latent)
        low_pass = [doubled(picture) for picture in real[:-1]]
        levels = zip(self.generator.refinements, low_pass, planes, strict=True)
        return [None, *low_pass], [self.generator.coarse(numbers), *(part(low, noise) for part, low, noise in levels)]

    def _games(self) -> list[tuple[str, Duel]]:
        """The duels by their players' names, from the coarsest on."""
        names = [f"discriminator_{side}" for side in self.generator.sizes]
        return list(zip(names, self.duels, strict=True))  # type: ignore[arg-type]

    def _of(self, level: int, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of one level, by names that differ from the others'."""
        return {f"{name}_{self.generator.sizes[level]}": loss for name, loss in losses.items()}

    def _generator_stepped(self) -> None:
        for _, duel in self._games():
            duel.stepped("generator")

    def _check(self) -> None:
        """Raise ValueError for a discriminator that does not take its level's size."""
        for (name, duel), side in zip(self._games(), self.generator.sizes, strict=True):
            for part in duel.discriminator.modules():
                only, smallest = getattr(part, "size", None), getattr(part, "minimum", None)
                if isinstance(only, int) and only != side:
                    raise ValueError(f"{name} takes {only} pixels alone; patchgan and pixelgan take every level's")
                if isinstance(smallest, int) and smallest > side:
                    raise ValueError(f"{name} takes {smallest} pixels and more; patchgan with fewer layers takes less")
