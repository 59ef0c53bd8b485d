"""Tiny real models for tests that need one: graphs of one or two nodes, with a card, made with the `onnx` package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from i2i.images.card import METADATA_KEY, Condition, ImageCard, NetworkSpec

MakeModel = Callable[..., Path]


def make_card(**fields: Any) -> ImageCard:
    """A card with the fields that a test cares about."""
    given = {"name": "tiny", "network": NetworkSpec(type="unet"), "method": "pix2pix"}
    return ImageCard(**{**given, **fields})


@pytest.fixture
def card() -> Callable[..., ImageCard]:
    return make_card


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Writes a model of one node and returns its path.

    Without domains it gives 255 - x; with domains the first one gives x and the others 255 - x.
    """

    def make(
        name: str = "invert.onnx", *, domains: tuple[str, ...] = (), text: str | None = None, **fields: Any
    ) -> Path:
        import onnx

        condition = Condition(kind="domains", names=domains) if domains else None
        described = make_card(condition=condition, **fields)
        model = _domain_graph(described, len(domains)) if domains else _invert_graph(described)
        onnx.helper.set_model_props(model, {METADATA_KEY: described.to_json() if text is None else text})
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())
        return path

    return make


def _ports(card: ImageCard) -> tuple[Any, Any]:
    from onnx import TensorProto, helper

    fixed = card.sizing.rule == "fixed"
    height, width = (card.sizing.height, card.sizing.width) if fixed else ("H", "W")
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", height, width, card.source.channels])
    out = helper.make_tensor_value_info("image_out", TensorProto.UINT8, ["N", height, width, card.target.channels])
    return image, out


def _invert_graph(card: ImageCard) -> Any:
    from onnx import helper

    image, out = _ports(card)
    node = helper.make_node("BitwiseNot", ["image"], ["image_out"])
    graph = helper.make_graph([node], "invert", [image], [out])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _domain_graph(card: ImageCard, count: int) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    image, out = _ports(card)
    domain = helper.make_tensor_value_info("domain", TensorProto.INT64, ["N"])
    masks = np.full((count, 1, 1, 1), 255, np.uint8)
    masks[0] = 0
    nodes = [
        helper.make_node("Gather", ["masks", "domain"], ["mask"], axis=0),
        helper.make_node("BitwiseXor", ["image", "mask"], ["image_out"]),
    ]
    weights = [numpy_helper.from_array(masks, "masks")]
    graph = helper.make_graph(nodes, "domains", [image, domain], [out], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
