"""Generators from noise that are told what to make: the file takes `domain` or `condition`, and equals torch."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

import i2i
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks import NETWORKS
from i2i.runtime.sampler import Sampler
from i2i.weights.session import TorchSession

DOMAINS = Condition(kind="domains", names=tuple(f"d{number}" for number in range(13)))
ATTRIBUTES = Condition(
    kind="attributes",
    names=("dark", "age", "fair"),
    exclusive_groups=(("dark", "fair"),),
    ranges=((0, 1), (-1, 1), (0, 1)),
)


def told(name: str, condition: Condition) -> tuple[dict[str, int], ImageCard]:
    arguments = {"in_channels": 5 + len(condition.names), "out_channels": 1, "channels": 4, "size": 16}
    card = ImageCard(
        name=name,
        latent=5,
        condition=condition,
        target=Pixels(colour="gray"),
        sizing=Sizing(rule="fixed", width=16, height=16),
        network=NetworkSpec(type=name, arguments=arguments),
        method="cgan",
    )
    return arguments, card


@pytest.mark.parametrize("condition", [DOMAINS, ATTRIBUTES], ids=lambda condition: condition.kind)
@pytest.mark.parametrize("name", ["mlp", "dcgan"])
def test_the_file_takes_what_the_card_says_and_equals_torch(name, condition, export, shake):
    arguments, card = told(name, condition)
    network = shake(NETWORKS[name](**arguments))
    made = export(network, card)
    assert made.report.failed == ()
    inputs = [(port.name, port.type, port.shape) for port in onnxruntime.InferenceSession(made.path).get_inputs()]
    told_by = ("domain", "tensor(int64)", ["batch"])
    if condition.kind == "attributes":
        told_by = ("condition", "tensor(float)", ["batch", 3])
    assert inputs == [("latent", "tensor(float)", ["batch", 5]), told_by]

    ours, theirs = Sampler(TorchSession(network, card)), i2i.load(made.path)
    latents = np.repeat(ours.latents(1, seed=1), 13, axis=0)
    given = {"domain": list(DOMAINS.names)} if condition.kind == "domains" else {"attributes": {"fair": 0.5}}
    expected, got = ours(latents, **given), theirs(latents, **given)
    assert np.abs(expected.astype(int) - got).max() <= 1
    assert np.count_nonzero(expected != got) <= expected.size // 1000
    assert expected.std() > 5
    assert len({picture.tobytes() for picture in got}) > 5  # of one noise: what is asked for decides
