"""The training step of StarGAN, five turns of the critic and one of the generator: ours, and what tutorials write."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bench_step import our_step, stock


class Case(NamedTuple):
    """Networks and batch of one comparison; 6 blocks, five halvings of the critic, three domains."""

    channels: int
    side: int
    batch: int


CASES = {"StarGAN: 32 channels, 64 px, batch 16, 5 critic steps": Case(32, 64, 16)}
DOMAINS = 3
CRITIC_STEPS = 5


def ours(case: Case, precision: str) -> Callable[[], None]:
    """Our step: the engine and the method as a training uses them."""
    from i2i.adversarial.objectives import OBJECTIVES
    from i2i.adversarial.stabilisers import STABILISERS
    from i2i.data.conditioned import ConditionedBatch
    from i2i.images.card import Condition
    from i2i.methods.parts import Parts
    from i2i.methods.stargan import StarGAN

    generator, critic, pictures, domains = parts(case)
    names = tuple(f"domain {number}" for number in range(DOMAINS))
    method = StarGAN(
        Parts(
            source_planes=0,
            target_planes=3,
            condition=Condition(kind="domains", names=names),
            condition_numbers=DOMAINS,
            generator=lambda planes, out, condition_channels: generator,
            discriminator=lambda planes, condition_channels: critic,
            objective=OBJECTIVES["wasserstein"],
            stabilisers=lambda: [STABILISERS["gradient_penalty"](), STABILISERS["critic_steps"](count=CRITIC_STEPS)],
        )
    )
    return our_step(
        method, ConditionedBatch(pictures, domains), preset="stargan", precision=precision, turns=CRITIC_STEPS
    )


def textbook(case: Case) -> Callable[[], None]:
    """The step of tutorials: float32, NCHW, ordinary Adam, a translation of its own for each turn of either player."""
    import torch
    from torch.nn.functional import cross_entropy, l1_loss

    generator, critic, pictures, domains = parts(case)
    generator, critic = stock(generator), stock(critic)
    adam_g = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.5, 0.999))

    def penalty(fake: torch.Tensor) -> torch.Tensor:
        share = torch.rand(len(fake), 1, 1, 1)
        between = (share * pictures + (1 - share) * fake).requires_grad_(True)
        score = critic(between).score
        (slope,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
        loss: torch.Tensor = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        return loss

    def step() -> None:
        for turn in range(CRITIC_STEPS):
            wanted = domains[torch.randperm(len(domains))]
            adam_d.zero_grad()
            real = critic(pictures)
            fake = generator(pictures, wanted).detach()
            loss = critic(fake).score.mean() - real.score.mean() + cross_entropy(real.classes, domains)
            torch.autograd.backward(loss + 10 * penalty(fake))
            adam_d.step()
            if turn == CRITIC_STEPS - 1:
                adam_g.zero_grad()
                fake = generator(pictures, wanted)
                judged = critic(fake)
                loss = cross_entropy(judged.classes, wanted) - judged.score.mean()
                torch.autograd.backward(loss + 10 * l1_loss(generator(fake, domains), pictures))
                adam_g.step()

    return step


def parts(case: Case):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Both networks, and pictures of noise with their domains, seeded."""
    import torch

    from i2i.networks.stargan import StarGAN, StarGANCritic

    torch.manual_seed(0)
    generator = StarGAN(channels=case.channels, condition_channels=DOMAINS)
    critic = StarGANCritic(size=case.side, channels=case.channels, layers=5, condition_channels=DOMAINS)
    pictures = torch.rand(case.batch, 3, case.side, case.side) * 2 - 1
    return generator, critic, pictures, torch.arange(case.batch) % DOMAINS
