"""How the fastest precision is found."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from i2i.adversarial.objectives import OBJECTIVES
from i2i.data.paired import PairedBatch
from i2i.methods.parts import Parts
from i2i.methods.pix2pix import Pix2Pix
from i2i.networks.patchgan import PatchGAN
from i2i.training import trial
from i2i.training.optimisers import OptimiserSettings


class Slow(nn.Module):
    """Takes a nap of one length in float32 and of another in half precision, as where a processor imitates that."""

    multiple = minimum = 1

    def __init__(self, seen: list[bool], *, full: float, half: float) -> None:
        super().__init__()
        self.seen = seen
        self.naps = {False: full, True: half}
        self.layer = nn.Conv2d(3, 3, 1)

    def forward(self, planes: Tensor) -> Tensor:
        """The layer alone."""
        half = torch.is_autocast_enabled("cpu")
        self.seen.append(half)
        time.sleep(self.naps[half])
        made: Tensor = self.layer(planes)
        return made


def tried(full: float, half: float) -> tuple[list[bool], dict[trial.Precision, float]]:
    """In which passes half precision was on, and the times that were found."""
    seen: list[bool] = []
    parts = Parts(
        source_planes=3,
        target_planes=3,
        generator=lambda planes, out: Slow(seen, full=full, half=half),
        discriminator=lambda planes: PatchGAN(in_channels=planes, channels=4, layers=1),
        objective=OBJECTIVES["least_squares"],
    )
    settings = dict.fromkeys(("generator", "discriminator"), OptimiserSettings())
    found = trial.step_milliseconds(
        lambda: Pix2Pix(parts),
        PairedBatch(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)),
        settings=settings,
        precisions=("fp32", "bf16"),
        device=torch.device("cpu"),
        channels_last=False,
    )
    return seen, found


def test_a_hopeless_precision_is_given_up_after_one_step() -> None:
    seen, found = tried(full=0.0, half=2.0)
    assert (seen.count(False), seen.count(True)) == (5, 1)
    assert found["bf16"] >= 2000.0
    assert trial.fastest(found) == "fp32"


def test_any_other_gets_as_many_steps_as_the_first() -> None:
    seen, found = tried(full=0.2, half=0.2)
    assert (seen.count(False), seen.count(True)) == (5, 5)
    assert all(time >= 200.0 for time in found.values())
