"""The training step of CycleGAN: ours, and what tutorials write."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from bench_step import our_step


class Case(NamedTuple):
    """Networks and batch of one comparison; 6 blocks, 3 layers of critic."""

    channels: int
    side: int
    batch: int


CASES = {
    "CycleGAN: ResNet-6, 32 channels, 64 px, batch 1": Case(32, 64, 1),
    "CycleGAN: ResNet-6, 64 channels, 64 px, batch 1": Case(64, 64, 1),
}


def ours(case: Case, precision: str) -> Callable[[], None]:
    """Our step: the engine and the method as a training uses them."""
    from i2i.adversarial.objectives import OBJECTIVES
    from i2i.adversarial.stabilisers import STABILISERS
    from i2i.data.unpaired import UnpairedBatch
    from i2i.methods.cyclegan import CycleGAN
    from i2i.methods.parts import Parts

    generators, discriminators, a, b = parts(case)
    method = CycleGAN(
        Parts(
            source_planes=3,
            target_planes=3,
            generator=lambda planes, out: generators.pop(),
            discriminator=lambda planes: discriminators.pop(),
            objective=OBJECTIVES["least_squares"],
            stabilisers=lambda: [STABILISERS["history_pool"]()],
        )
    )
    return our_step(method, UnpairedBatch(a, b), preset="cyclegan", precision=precision)


def textbook(case: Case) -> Callable[[], None]:
    """The step of tutorials: float32, NCHW, ordinary Adam, the same six translations and a pool of 50."""
    import torch
    from torch.nn.functional import l1_loss, mse_loss

    (there, back), (critic_a, critic_b), a, b = parts(case)
    adam_g = torch.optim.Adam([*there.parameters(), *back.parameters()], lr=2e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam([*critic_a.parameters(), *critic_b.parameters()], lr=2e-4, betas=(0.5, 0.999))
    pools: tuple[list[Any], list[Any]] = ([], [])

    def shown(pool: list[Any], fake: Any) -> Any:
        if len(pool) < 50:
            pool.append(fake)
            return fake
        if random.random() < 0.5:
            return fake
        index = random.randrange(50)
        stored, pool[index] = pool[index], fake
        return stored

    def step() -> None:
        fake_b, fake_a = there(a), back(b)
        critics = (critic_a, critic_b)
        for critic in critics:
            critic.requires_grad_(False)
        adam_g.zero_grad()
        scores = critic_b(fake_b).score, critic_a(fake_a).score
        adversarial = sum(mse_loss(score, torch.ones_like(score)) for score in scores)
        cycle = l1_loss(back(fake_b), a) + l1_loss(there(fake_a), b)
        identity = l1_loss(there(b), b) + l1_loss(back(a), a)
        torch.autograd.backward(adversarial + 10 * cycle + 5 * identity)
        adam_g.step()
        adam_d.zero_grad()
        for critic, real, fake, pool in ((critic_a, a, fake_a, pools[0]), (critic_b, b, fake_b, pools[1])):
            critic.requires_grad_(True)
            real_score, fake_score = critic(real).score, critic(shown(pool, fake.detach())).score
            loss = mse_loss(real_score, torch.ones_like(real_score)) + mse_loss(
                fake_score, torch.zeros_like(fake_score)
            )
            torch.autograd.backward(loss / 2)
        adam_d.step()

    return step


def parts(case: Case):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Both generators, both critics and one picture of each side of noise, seeded."""
    import torch

    from i2i.networks.patchgan import PatchGAN
    from i2i.networks.resnet import ResNet

    torch.manual_seed(0)
    generators = [ResNet(channels=case.channels, blocks=6) for _ in range(2)]
    critics = [PatchGAN(in_channels=3, channels=case.channels, norm="instance") for _ in range(2)]
    return generators, critics, *(torch.rand(2, case.batch, 3, case.side, case.side) * 2 - 1)
