"""Critic steps: the generator has a turn after every so many turns of the discriminator.

Goodfellow et al. 2014, arXiv 1406.2661, algorithm 1 (k steps); five in Arjovsky et al. 2017, "Wasserstein GAN",
arXiv 1701.07875, algorithm 1.
"""

from __future__ import annotations

from i2i.adversarial.stabilisers.stabiliser import Stabiliser


class CriticSteps(Stabiliser):
    """`count` steps of the discriminator to one of the generator, each on a batch of its own.

    What a recipe counts in steps (the length of a training, schedules, the average) are the discriminator's.
    """

    def __init__(self, *, count: int = 5) -> None:
        super().__init__()
        if count < 1:
            raise ValueError(f"count is at least 1, got {count}")
        self.count = count

    def generator_plays(self, turns: int) -> bool:
        """After the last of `count` turns."""
        return turns % self.count == 0
