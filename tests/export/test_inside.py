"""What lies inside a graph: how large planes are at the size that a model works at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import nn

from i2i.export.graph import build
from i2i.export.inside import sides, working_size
from i2i.images.card import ImageCard, Sizing
from i2i.weights.wrapper import Wrapped

Make = Callable[..., tuple[nn.Module, ImageCard]]


@pytest.mark.parametrize(
    ("sizing", "size"),
    [
        (Sizing(multiple=4, minimum=4), (128, 128)),
        (Sizing(multiple=48, minimum=4), (144, 144)),
        (Sizing(multiple=4, minimum=300), (300, 300)),
        (Sizing(rule="resize", multiple=4, minimum=4, height=64, width=96), (64, 96)),
    ],
)
def test_the_working_size_is_the_cards_or_the_usual_one(tiny_unet: Make, sizing: Sizing, size: tuple[int, int]) -> None:
    assert working_size(tiny_unet(sizing=sizing)[1]) == size


def test_planes_have_the_sides_that_a_u_net_gives_them(tiny_unet: Make) -> None:
    network, card = tiny_unet(sizing=Sizing(rule="resize", multiple=4, minimum=4, height=64, width=96))
    model = build(Wrapped(network, card), rewrites=False)
    found = sides(model, card)
    convolutions = [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    # Two halvings, then two doublings, each by what goes in.
    assert [found[node.input[0]] for node in convolutions] == [(64, 96), (32, 48), (16, 24), (32, 48)]
