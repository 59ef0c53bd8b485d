"""What steers a model, in the exported file: numbers of domains that are not there, mixtures, attributes to keep."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

import i2i
from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing
from i2i.networks.layers.beside import numbers
from i2i.runtime.translator import Translator
from i2i.weights.session import TorchSession

NAMES = ("a", "b", "c")


class Told(nn.Module):
    """Pictures, or from noise pictures of 4 x 4, with the condition's three numbers added to the three colours.

    An attribute to keep, NaN, is 1 where the picture's mean is above 0, else 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.tensor([0.1, 0.2, 0.3]))

    def forward(self, source: Tensor, condition: Tensor) -> Tensor:
        planes = source if source.ndim == 4 else source[:, :, None, None].expand(-1, -1, 4, 4)
        told = numbers(condition, 3, like=planes)
        read = (planes.mean((2, 3)) > 0).to(planes.dtype)
        return planes * 0.5 + (torch.where(told.isnan(), read, told) * self.steps)[:, :, None, None]


def card(condition: Condition, *, latent: int | None = None) -> ImageCard:
    sizing = Sizing(rule="fixed", width=4, height=4) if latent else Sizing()
    network = NetworkSpec(type="none")
    return ImageCard(name="told", condition=condition, latent=latent, sizing=sizing, network=network, method="none")


@pytest.mark.parametrize("latent", [None, 3], ids=["translator", "noise"])
def test_the_graph_refuses_numbers_of_domains_that_are_not_there(latent, export):
    made = export(Told(), card(Condition(kind="domains", names=NAMES), latent=latent))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # it would write every refusal to the terminal
    engine = onnxruntime.InferenceSession(made.path, options)
    source = {"latent": np.zeros((2, 3), np.float32)} if latent else {"image": np.full((2, 5, 4, 3), 99, np.uint8)}
    pictures = {engine.run(None, {**source, "domain": np.full(2, number)})[0].tobytes() for number in range(3)}
    assert len(pictures) == 3
    for number in (-4, -3, -1, 3, 4):
        with pytest.raises(Exception, match="out of data bounds"):
            engine.run(None, {**source, "domain": np.array([0, number])})


def test_a_mixture_takes_a_weight_for_each_domain_and_a_name_is_the_whole_weight(export):
    made = export(Told(), card(Condition(kind="domains", names=NAMES, mixed=True)))
    inputs = [(port.name, port.type, port.shape) for port in onnxruntime.InferenceSession(made.path).get_inputs()]
    assert inputs[1] == ("condition", "tensor(float)", ["batch", 3])
    translate = i2i.load(made.path)
    grey = np.full((2, 2, 3), 100, np.uint8)  # 127.5 * (0.5 * (100 / 127.5 - 1) + 1) = 113.75
    shown = {"c": [114, 114, 152], "mixture": [117, 114, 142]}
    assert translate(grey, domain="c")[0, 0].tolist() == translate(grey, domain=2)[0, 0].tolist() == shown["c"]
    # a quarter of 12.75 levels and three quarters of 38.25
    assert translate(grey, domain={"a": 1, "c": 3})[0, 0].tolist() == shown["mixture"]


def test_attributes_that_are_not_set_are_read_from_the_picture_in_the_graph_as_in_torch(export):
    condition = Condition(kind="attributes", names=NAMES, exclusive_groups=(("a", "b"),))
    network = Told()
    made = export(network, card(condition))
    for translate in (i2i.load(made.path), Translator(TorchSession(network, made.card))):
        dark, bright = np.full((2, 2, 3), 100, np.uint8), np.full((2, 2, 3), 155, np.uint8)
        assert translate(dark, set={})[0, 0].tolist() == [114, 114, 114]
        # 127.5 * (0.5 * (155 / 127.5 - 1) + 1) = 141.25, and 12.75, 25.5 and 38.25 levels more
        assert translate(bright, set={})[0, 0].tolist() == [154, 167, 180]
        assert translate(bright, set={"c": 0})[0, 0].tolist() == [154, 167, 141]
        assert translate(bright, set={"a": 1})[0, 0].tolist() == [154, 141, 180]  # b goes with a
        with pytest.raises(I2IError, match="has a number that is not finite; an attribute to keep is NaN"):
            translate.apply(dark, condition=np.array([[0, np.inf, 1]], np.float32))
