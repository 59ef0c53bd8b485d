"""What a translator of attributes changes, against what truly changes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from i2i.images.card import METADATA_KEY, Condition

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def face_truth():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import face_truth
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return face_truth


def grey(level: int) -> np.ndarray:
    return np.full((20, 20, 3), level, np.uint8)


def test_the_pixels_that_change_reach_two_further_in_every_direction(face_truth):
    truth = grey(100)
    truth[5, 8, 1] = 101
    mask = face_truth.changing(grey(100), truth)
    assert mask[3:8, 6:11].all()
    assert mask.sum() == 25


def test_inside_the_truth_is_what_counts_and_outside_the_face(face_truth):
    face, truth, made = grey(100), grey(100), grey(100)
    truth[5, 8] = 150  # 25 pixels are inside: one is 50 levels off in the face
    made[5, 8] = 140
    made[15] = 110  # 20 of the other 375 pixels are 10 levels off
    found = face_truth.measure(face, made, truth)
    assert found.input == pytest.approx(10 * np.log10(255**2 / (50**2 / 25)))
    assert found.inside == pytest.approx(10 * np.log10(255**2 / (10**2 / 25)))
    assert found.outside == pytest.approx(10 / 255 * 20 / 375)
    assert face_truth.measure(face, truth, truth) == (100, pytest.approx(found.input), 0)
    with pytest.raises(ValueError, match="the truth is the face itself"):
        face_truth.measure(face, made, face)


@pytest.fixture
def brighter(tmp_path, card) -> Path:
    """A model of two attributes that gives the picture plus 40 levels times the first one, minus 40 if it is 0."""
    described = card(condition=Condition(kind="attributes", names=("light", "other")))
    image, out = (
        helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", "H", "W", 3]) for name in ("image", "image_out")
    )
    told = helper.make_tensor_value_info("condition", TensorProto.FLOAT, ["N", 2])
    nodes = [
        helper.make_node("Gather", ["condition", "first"], ["light"], axis=1),
        helper.make_node("Mul", ["light", "eighty"], ["steps"]),
        helper.make_node("Sub", ["steps", "forty"], ["change"]),
        helper.make_node("Reshape", ["change", "shape"], ["planes"]),
        helper.make_node("Cast", ["image"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["values", "planes"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["image_out"], to=TensorProto.UINT8),
    ]
    weights = [
        numpy_helper.from_array(np.array([0]), "first"),
        numpy_helper.from_array(np.array(80, np.float32), "eighty"),
        numpy_helper.from_array(np.array(40, np.float32), "forty"),
        numpy_helper.from_array(np.array([-1, 1, 1, 1]), "shape"),
    ]
    graph = helper.make_graph(nodes, "brighter", [image, told], [out], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.helper.set_model_props(model, {METADATA_KEY: described.to_json()})
    path = tmp_path / "brighter.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_a_model_is_asked_for_what_the_face_is_not(brighter, tmp_path):
    for folder in ("test", "truth/light"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    for name, level, change in (("dark", 100, 40), ("light", 150, -40)):
        face = grey(level)
        truth = face.copy()
        truth[:10] += np.uint8(change % 256)
        Image.fromarray(face).save(tmp_path / f"set/test/{name}.png")
        Image.fromarray(truth).save(tmp_path / f"set/truth/light/{name}.png")
    rows = "2\nother light\ntest/dark.png 1 -1\ntest/light.png 1 1\n"
    (tmp_path / "set/list_attr.txt").write_text(rows)
    words = [sys.executable, "tools/face_truth.py", brighter, tmp_path / "set", "--json", tmp_path / "out.json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    # Of 12 rows inside 10 are right and 2 are 40 levels off; in the face the 10 are off.
    inside, untouched = (10 * np.log10(255**2 / (40**2 * share / 12)) for share in (2, 10))
    expected = {"n": 2, "inside": inside, "input": untouched, "outside": 40 / 255, "gain": inside - untouched}
    assert found == {"light": pytest.approx(expected)}
    assert "| light | 2 | 23.87 | 16.88 | +6.99 | 15.69 % |" in done.stdout
