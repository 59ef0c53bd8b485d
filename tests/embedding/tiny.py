"""Tiny real models of every kind that the kit serves, made with the `onnx` package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from i2i.images.card import METADATA_KEY, Condition, ImageCard, NetworkSpec, Pixels, Sizing

HAIR = ("black_hair", "red_hair", "smile")
FACES = Condition(kind="attributes", names=HAIR, exclusive_groups=(HAIR[:2],))
STYLES = Condition(kind="domains", names=("flat & <b>", 'the "other"', "drawn"))
TINY = Sizing(rule="fixed", width=4, height=4)
FAKE = {
    name: name.encode() for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
}

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "gray": {"source": Pixels(colour="gray"), "target": Pixels(colour="gray")},
    "rgba": {"source": Pixels(colour="rgba"), "target": Pixels(colour="rgba")},
    "twice": {"scale": 2},
    "fixed": {"sizing": TINY},
    "faces": {"condition": FACES},
    "mixed": {"condition": STYLES.model_copy(update={"mixed": True})},
    "styles": {"condition": STYLES},
    "noise": {"latent": 3, "sizing": TINY, "condition": STYLES},
    "factors": {
        "latent": 3,
        "sizing": TINY,
        "condition": Condition(kind="attributes", names=HAIR, ranges=((-1, 1), (0, 2), (0, 1))),
    },
}


def write_model(path: Path, card: ImageCard) -> Path:
    """An .onnx file with this card: half of the picture, or 100 + 20 times the latent, and 50 levels of red, green or
    blue more for what it is told; as large as the card's scale says.
    """
    from onnx import TensorProto, helper, numpy_helper

    fixed = card.sizing.rule == "fixed"
    size = [card.sizing.height, card.sizing.width] if fixed else ["H", "W"]
    nodes, inputs = _start(card, size)
    weights = {"half": [0.5], "low": [0.0], "high": [255.0], "step": [50.0]}
    tensors = [numpy_helper.from_array(np.float32(value[0]), name) for name, value in weights.items()]
    added = "source"
    if card.condition is not None:
        more, names, given = _told(card)
        nodes, tensors, inputs, added = [*nodes, *more], [*tensors, *names], [*inputs, given], "sum"
    ends = [helper.make_node("Clip", [added, "low", "high"], ["within"])]
    ends += [helper.make_node("Cast", ["within"], ["bytes"], to=TensorProto.UINT8)]
    tensors.append(numpy_helper.from_array(np.float32([1, card.scale, card.scale, 1]), "scales"))
    ends += [helper.make_node("Resize", ["bytes", "", "scales"], ["image_out"], mode="nearest")]
    out = [None if isinstance(side, str) else side for side in size]
    given_out = helper.make_tensor_value_info("image_out", TensorProto.UINT8, ["N", *out, card.target.channels])
    graph = helper.make_graph([*nodes, *ends], "tiny", inputs, [given_out], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def _start(card: ImageCard, size: list[Any]) -> tuple[list[Any], list[Any]]:
    from onnx import TensorProto, helper

    if card.latent is None:
        image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", *size, card.source.channels])
        cast = helper.make_node("Cast", ["image"], ["wide"], to=TensorProto.FLOAT)
        return [cast, helper.make_node("Mul", ["wide", "half"], ["source"])], [image]
    latent = helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["N", card.latent])
    constants = {"shape": np.int64([-1, 1, 1, 3]), "tiles": np.int64([1, 4, 4, 1])}
    constants |= {"spread": np.float32(20), "middle": np.float32(100)}
    nodes = [helper.make_node("Constant", [], [name], value=_tensor(value)) for name, value in constants.items()]
    steps = [("Reshape", ["latent", "shape"], "a"), ("Tile", ["a", "tiles"], "b"), ("Mul", ["b", "spread"], "c")]
    steps += [("Add", ["c", "middle"], "source")]
    return [*nodes, *(helper.make_node(kind, given, [made]) for kind, given, made in steps)], [latent]


def _told(card: ImageCard) -> tuple[list[Any], list[Any], Any]:
    """What adds the condition: nodes, constants, the input. An attribute to keep counts as a half."""
    from onnx import TensorProto, helper, numpy_helper

    assert card.condition is not None
    constants = [numpy_helper.from_array(np.int64([-1, 1, 1, 3]), "row")]
    tail = [
        helper.make_node("Mul", ["weights", "step"], ["more"]),
        helper.make_node("Reshape", ["more", "row"], ["colour"]),
        helper.make_node("Add", ["source", "colour"], ["sum"]),
    ]
    if card.condition.port == "domain":
        constants.append(numpy_helper.from_array(np.eye(3, dtype=np.float32), "eye"))
        gather = helper.make_node("Gather", ["eye", "domain"], ["weights"], axis=0)
        return [gather, *tail], constants, helper.make_tensor_value_info("domain", TensorProto.INT64, ["N"])
    head = [
        helper.make_node("IsNaN", ["condition"], ["kept"]),
        helper.make_node("Where", ["kept", "half", "condition"], ["weights"]),
    ]
    given = helper.make_tensor_value_info("condition", TensorProto.FLOAT, ["N", 3])
    return [*head, *tail], constants, given


def _tensor(value: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.asarray(value))


def write_models(folder: Path) -> dict[str, Path]:
    """An .onnx file of each kind, by its name."""
    network = NetworkSpec(type="none")
    cards = {name: ImageCard(name=name, network=network, method="none", **fields) for name, fields in KINDS.items()}
    return {name: write_model(folder / f"{name}.onnx", card) for name, card in cards.items()}
