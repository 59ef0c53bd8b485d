"""AdaGAN: generators trained one after the other, each on what those before it miss, and mixed.

Tolstikhin et al. 2017, "AdaGAN: Boosting Generative Models", arXiv 1701.02386, algorithm 1 with equal shares (beta_t =
1/t). Component t is a GAN on data that are weighted by (lambda - (1 - beta_t) h(D(x)))_+ / beta_t, where D tells the
data from the mixture of the components before, so that h(D) = (1 - D) / D is how much of the data's density that
mixture has already (section 3.3), and lambda is the number with which the weights have mean 1.

Deviations: D learns all the time, a step in every step, where the paper trains it once before each component; beside
the first component it already learns to tell the data from that, and knows the mixture that comes next. A training
step sees a batch, not the whole data: lambda is found on the densities of the last `memory` pictures, and the batch is
drawn again by its weights, with replacement. (Weighting losses would do as well for a mean over pictures, but not for
objectives and penalties that compare a batch as a whole.)
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from i2i.adversarial.duel import Duel
from i2i.data.images import ImageBatch
from i2i.images.card import NetworkSpec
from i2i.losses.precision import at_least_float32
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks.mixture import Components
from i2i.weights.wrapper import evaluating

_HIGHEST_LOGIT = 30.0  # e^30: a density that no weight is left of
_LEAST_WEIGHT = 1e-12  # so that a batch of nothing but covered pictures can still be drawn from


class AdaGAN(Method):
    """A mixture of `components` generators with a discriminator each, and a classifier of data against the mixture.

    Each component has the play for `steps_per_component` steps, the last one also for what follows, and is frozen
    then. The classifier is a network of the discriminator's kind whose mean score is a logit. Raises ValueError for an
    autoencoder, whose score is none.
    """

    batch_type: ClassVar[type[ImageBatch]] = ImageBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"sample": ("latent", "target")}
    steps: Tensor
    covered: Tensor

    def __init__(
        self,
        parts: Parts,
        *,
        latent_channels: int = 100,
        components: int = 5,
        steps_per_component: int = 10000,
        memory: int = 1000,
    ) -> None:
        super().__init__()
        for name, value in (
            ("latent_channels", latent_channels),
            ("components", components),
            ("steps_per_component", steps_per_component),
            ("memory", memory),
        ):
            if value < 1:
                raise ValueError(f"{name} is 1 or more, got {value}")
        planes = parts.target_planes
        self.steps_per_component = steps_per_component
        self.generator = Components([parts.generator(latent_channels, planes) for _ in range(components)])
        self.latent_channels = self.generator.latent_channels
        self.duels = nn.ModuleList(parts.duel(planes, generator=made) for made in self.generator.components)
        self.classifier = parts.discriminator(planes)
        if getattr(self.classifier, "autoencoder", False):
            raise ValueError("it needs a discriminator that classifies; an autoencoder's score is no logit")
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        # The mixture's density of the last pictures as a multiple of the data's: nothing is covered at first.
        self.register_buffer("covered", torch.zeros(memory))
        self.generator.playing.fill_(1)

    def players(self) -> dict[str, nn.Module]:
        """All components, all discriminators (one of each plays at a time) and the classifier."""
        discriminators = nn.ModuleList(duel.discriminator for duel in self._duels())
        return {"generator": self.generator, "discriminator": discriminators, "classifier": self.classifier}

    def generators(self) -> dict[str, nn.Module]:
        """The mixture of the components so far, noise to picture."""
        return {"sample": self.generator}

    def shipped(self, generator: NetworkSpec, *, discriminator: NetworkSpec) -> NetworkSpec:
        """The mixture of so many networks of the recipe."""
        options = dict(generator.arguments)
        planes = {name: options.pop(name) for name in ("in_channels", "out_channels")}
        component = {"type": generator.type, **options}
        count = len(self.generator.components)
        return NetworkSpec(type="mixture", arguments={"component": component, "components": count, **planes})

    def training_step(self, batch: ImageBatch, engine: Engine) -> dict[str, Tensor]:
        """Train the classifier, draw the batch again by its weights, and play one step of the component's game."""
        real = batch.image
        now = min(int(self.steps) // self.steps_per_component, len(self.duels) - 1)
        self.generator.playing.fill_(now + 1)
        component, duel = self.generator.components[now], self._duels()[now]
        generator_plays = duel.generator_plays()

        with engine.forward(), torch.no_grad():
            before = self._mixed(max(now, 1), like=real)
        with engine.turn("classifier") as turn:
            logits = at_least_float32(self.classifier(torch.cat((real, before))).score).flatten(1).mean(1)
            of_real, of_mixture = torch.split(logits, len(real))
            logs = turn.minimise({"c_real": softplus(-of_real).mean(), "c_mixture": softplus(of_mixture).mean()})
        wanted = self._missed(real, of_real.detach(), share=1 / (now + 1))

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = _made(component, len(real), like=real)

        with engine.turn("discriminator", stepped=lambda: self._stepped(duel)) as turn:
            losses, indicators = duel.discriminator_losses(wanted, fake)
            logs |= indicators | turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: duel.stepped("generator")) as turn:
                logs |= turn.minimise(duel.generator_losses(fake, real=wanted))
        return logs

    def _mixed(self, count: int, *, like: Tensor) -> Tensor:
        """As many pictures as `like` holds, each of one of the first `count` components, as they are shipped."""
        made = torch.empty_like(like)
        chosen = torch.randint(count, (len(like),), device=like.device)
        for index, component in enumerate(self.generator.components[:count]):
            places = (chosen == index).nonzero().flatten()
            if len(places):
                with evaluating(component):
                    made[places] = _made(component, len(places), like=like).to(made.dtype)
        return made

    def _missed(self, real: Tensor, logits: Tensor, *, share: float) -> Tensor:
        """Pictures of the batch, drawn by the weights of a component that gets a `share` of the mixture."""
        density = torch.exp(-logits.clamp(-_HIGHEST_LOGIT, _HIGHEST_LOGIT)).to(self.covered.dtype)
        self.covered.copy_(torch.cat((density, self.covered))[: len(self.covered)])
        if share == 1:
            return real
        drawn = torch.multinomial(weights(density, threshold(self.covered, share=share), share=share), len(real), True)
        return real[drawn]

    def _stepped(self, duel: Duel) -> None:
        duel.stepped("discriminator")
        self.steps += 1

    def _duels(self) -> list[Duel]:
        return list(self.duels)  # type: ignore[arg-type]


def _made(component: Any, count: int, *, like: Tensor) -> Tensor:
    """So many pictures of new noise."""
    pictures: Tensor = component(torch.randn(count, component.latent_channels, dtype=like.dtype, device=like.device))
    return pictures


def threshold(density: Tensor, *, share: float) -> Tensor:
    """lambda: the number with which the weights of pictures with these densities (M,) have mean 1.

    With the k pictures of least density alone it would be (M share + (1 - share) their sum) / k; the true one is the
    least of these (the paper's algorithm 3 walks up to it).
    """
    kept = torch.arange(1, len(density) + 1, dtype=density.dtype, device=density.device)
    sums = (1 - share) * density.sort().values.cumsum(0)
    return ((len(density) * share + sums) / kept).min()


def weights(density: Tensor, threshold: Tensor, *, share: float) -> Tensor:
    """How often pictures of these densities are wanted, (threshold - (1 - share) density)_+ / share."""
    return ((threshold - (1 - share) * density).clamp(min=0) / share).clamp(min=_LEAST_WEIGHT)
