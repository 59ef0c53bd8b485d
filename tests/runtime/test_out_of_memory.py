"""Memory that runs out on one picture: its tiles are halved, twice; then it fails alone."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from i2i.cli.main import main
from i2i.images.card import METADATA_KEY, Sizing
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.translator import Translator
from tests.runtime.folders import lines


def hungry_above(rows: int, path: Path, card) -> Path:
    """255 - x; each row above `rows` asks for a petabyte."""
    nodes = [
        helper.make_node("Shape", ["image"], ["height"], start=1, end=2),
        helper.make_node("Sub", ["height", "rows"], ["above"]),
        helper.make_node("Max", ["above", "none"], ["more"]),
        helper.make_node("Mul", ["more", "petabyte"], ["bytes"]),
        helper.make_node("Add", ["bytes", "one"], ["size"]),
        helper.make_node(
            "ConstantOfShape", ["size"], ["heap"], value=helper.make_tensor("v", TensorProto.UINT8, [1], [1])
        ),
        helper.make_node("ReduceMax", ["heap"], ["least"], keepdims=0),
        helper.make_node("BitwiseOr", ["least", "ones"], ["mask"]),
        helper.make_node("BitwiseXor", ["image", "mask"], ["image_out"]),
    ]
    numbers = {"rows": rows, "none": 0, "petabyte": 10**15, "one": 1}
    weights = [numpy_helper.from_array(np.array([value], np.int64), name) for name, value in numbers.items()]
    weights.append(numpy_helper.from_array(np.array(255, np.uint8), "ones"))
    ports = [helper.make_tensor_value_info(n, TensorProto.UINT8, ["N", "H", "W", 3]) for n in ("image", "image_out")]
    graph = helper.make_graph(nodes, "hungry", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {METADATA_KEY: card(sizing=Sizing(multiple=4, minimum=4)).to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)


@pytest.mark.parametrize(("rows", "tile"), [(400, None), (200, None), (100, None), (64, 256)])
def test_tiles_are_halved_twice_at_most_and_the_picture_is_right(tmp_path, card, picture, rows, tile):
    session = OnnxSession(hungry_above(rows, tmp_path / "m.onnx", card), threads=1)
    assert np.array_equal(Translator(session, tile=tile).apply(picture), 255 - picture)


@pytest.mark.parametrize(("rows", "tile"), [(99, None), (63, 256), (200, 0)])
def test_then_or_where_tiles_are_off_it_fails(tmp_path, card, picture, rows, tile):
    from i2i.errors import I2IError

    session = OnnxSession(hungry_above(rows, tmp_path / "m.onnx", card), threads=1)
    with pytest.raises(I2IError) as caught:
        Translator(session, tile=tile).apply(picture)
    assert caught.value.code == "E_OOM"


def test_convert_lists_it_does_the_rest_and_exits_with_1(tmp_path, card, capsys):
    model = hungry_above(50, tmp_path / "m.onnx", card)
    (tmp_path / "in").mkdir()
    for name, height in (("small", 30), ("large", 180), ("huge", 300)):
        Image.new("RGB", (20, height), (9, 9, 9)).save(tmp_path / f"in/{name}.png")
    assert main(["convert", str(model), str(tmp_path / "in"), str(tmp_path / "out"), "--threads", "1"]) == 1
    said = capsys.readouterr()
    assert "2 converted, 1 failed of 3" in said.out and ", on cpu)" in said.out
    failure = lines(tmp_path / "out/failures.jsonl")[0]
    assert (failure["code"], failure["path"], failure["stage"]) == ("E_OOM", "huge.png", "translate")
    assert Image.open(tmp_path / "out/large.png").getpixel((0, 179)) == (246, 246, 246)
