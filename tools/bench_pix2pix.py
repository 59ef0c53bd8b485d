"""The training step of pix2pix: ours, and what tutorials write."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bench_step import our_step, stock


class Case(NamedTuple):
    """Networks and batch of one comparison."""

    channels: int
    depth: int
    batch: int


CASES = {
    "pix2pix: U-Net-128, 32 channels, batch 8": Case(32, 7, 8),
    "pix2pix: U-Net-256, 64 channels, batch 1": Case(64, 8, 1),
}


def ours(case: Case, precision: str) -> Callable[[], None]:
    """Our step: the engine and the method as a training uses them."""
    from i2i.adversarial.objectives import OBJECTIVES
    from i2i.data.paired import PairedBatch
    from i2i.methods.parts import Parts
    from i2i.methods.pix2pix import Pix2Pix

    generator, discriminator, source, target = parts(case)
    method = Pix2Pix(
        Parts(
            source_planes=3,
            target_planes=3,
            generator=lambda planes, out: generator,
            discriminator=lambda planes: discriminator,
            objective=OBJECTIVES["non_saturating"],
        )
    )
    return our_step(method, PairedBatch(source, target), preset="pix2pix", precision=precision)


def textbook(case: Case) -> Callable[[], None]:
    """The step of tutorials: float32, NCHW, ordinary Adam."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    generator, discriminator, source, target = parts(case)
    generator = stock(generator)
    adam_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))

    def step() -> None:
        fake = generator(source)
        discriminator.requires_grad_(True)
        adam_d.zero_grad()
        real_score = discriminator(torch.cat((source, target), 1)).score
        fake_score = discriminator(torch.cat((source, fake.detach()), 1)).score
        real_loss = cross_entropy(real_score, torch.ones_like(real_score))
        fake_loss = cross_entropy(fake_score, torch.zeros_like(fake_score))
        torch.autograd.backward((real_loss + fake_loss) / 2)
        adam_d.step()
        discriminator.requires_grad_(False)
        adam_g.zero_grad()
        score = discriminator(torch.cat((source, fake), 1)).score
        torch.autograd.backward(cross_entropy(score, torch.ones_like(score)) + 100 * (fake - target).abs().mean())
        adam_g.step()

    return step


def parts(case: Case):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Both networks and one batch of noise, seeded."""
    import torch

    from i2i.networks.patchgan import PatchGAN
    from i2i.networks.unet import UNet

    torch.manual_seed(0)
    side = 2**case.depth
    pictures = torch.rand(2, case.batch, 3, side, side) * 2 - 1
    return UNet(channels=case.channels, depth=case.depth), PatchGAN(), pictures[0], pictures[1]
