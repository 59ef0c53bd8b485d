"""What to do about each finding on the health of a training: plain words and names of real options.

Where the remedies come from: minibatch discrimination, Salimans et al. 2016, arXiv 1606.03498; unrolling, Metz et al.
2017, arXiv 1611.02163; noise on what the critic sees, Arjovsky and Bottou 2017, arXiv 1701.04862; R1 and the calm that
it brings, Mescheder et al. 2018, arXiv 1801.04406; a penalty in place of clipped weights, Gulrajani et al. 2017, arXiv
1704.00028; extragradient steps, Gidel et al. 2019, arXiv 1802.10551; two time scales, Heusel et al. 2017, arXiv
1706.08500.
"""

from __future__ import annotations

from typing import NamedTuple


class Remedy(NamedTuple):
    """`what` is wrong, and what to try: phrases with the `names` of options, stabilisers or objectives in them."""

    what: str
    tries: tuple[str, ...]
    names: tuple[str, ...]

    def advice(self) -> str:
        """The phrases as one: try a, b or c."""
        phrases = [phrase.format(name) for phrase, name in zip(self.tries, self.names, strict=True)]
        return "try " + " or ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


REMEDIES = {
    "constant_output": Remedy(
        "the outputs are blank, each of one even colour, be it black or another",
        ("a lower {}", "{} 1", "{}"),
        ("optimiser.rates.generator", "training.clip_norm", "spectral_norm"),
    ),
    "saturated_output": Remedy(
        "nearly every value of the outputs is at an end of the range, which those of the pictures are not",
        ("a lower {}", "{} 1", "a lower {}"),
        ("optimiser.rates.generator", "training.clip_norm", "optimiser.beta1"),
    ),
    "outputs_alike": Remedy("outputs have become alike", ("{}", "{}"), ("minibatch_discrimination", "unrolled")),
    "gradient_vanished": Remedy(
        "hardly any gradient reaches the generator",
        ("a lower {}", "the objective {}", "{} (in place of weight_clipping, where that is used)"),
        ("optimiser.rates.discriminator", "non_saturating", "gradient_penalty"),
    ),
    "critic_saturated": Remedy(
        "the critic tells every picture from every output and has nothing left to learn",
        ("a lower {}", "{}", "{}"),
        ("optimiser.rates.discriminator", "instance_noise", "r1"),
    ),
    "critic_blind": Remedy(
        "the critic does not tell outputs from pictures, though they differ plainly",
        ("a higher {}", "{}", "weaker penalties among the {}"),
        ("optimiser.rates.discriminator", "critic_steps", "stabilisers"),
    ),
    "standing_still": Remedy(
        "the outputs no longer change, though the critic tells them from the pictures",
        ("a higher {}", "weaker penalties on the generator among the {}"),
        ("optimiser.rates.generator", "stabilisers"),
    ),
    "oscillation": Remedy(
        "the outputs swing to and fro",
        ("a lower {}", "{} 0", "{} extragradient", "{}"),
        ("optimiser.learning_rate", "optimiser.beta1", "optimiser.order", "r1"),
    ),
}

# Where a translator needs other words than a generator from noise.
TRANSLATORS = {
    "outputs_alike": Remedy(
        "outputs have become alike, whatever their sources",
        ("pictures that do belong together under {}", "a higher {}", "{}"),
        ("data.root", "method.l1_weight", "minibatch_discrimination"),
    ),
}


def remedy(name: str, *, translates: bool) -> Remedy:
    """What there is to say about a finding."""
    return TRANSLATORS.get(name, REMEDIES[name]) if translates else REMEDIES[name]
