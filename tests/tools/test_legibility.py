"""The judge of legibility: how a reader is asked, what its shares are, and the table of a model that is known."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import onnx
import pytest
from fontTools.ttLib import TTCollection, TTFont
from onnx import TensorProto, helper, numpy_helper

from i2i.data.charsets import split
from i2i.data.typeface import Typeface
from tests.cli.test_convert_text import DRAWING, FONTS, SIDE, model

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import legibility
from legibility import Found, Reader, Sets, judged, line, share

__all__ = ["model"]

TEXT = "壕侣亲惨寞端榆滔啃熊"


def reader_model() -> bytes:
    """A recogniser by hand: at each of the 96 places, class k has the mean darkness (0..1) there times k / 4."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),  # N, W
        helper.make_node("Sub", ["one", "mean"], ["twice"]),
        helper.make_node("Mul", ["twice", "half"], ["dark"]),
        helper.make_node("Unsqueeze", ["dark", "last"], ["column"]),  # N, W, 1
        helper.make_node("Mul", ["column", "slopes"], ["chances"]),  # N, W, 4
    ]
    constants = {
        "axes": np.array([1, 2], np.int64),
        "one": np.array(1.0, np.float32),
        "half": np.array(0.5, np.float32),
        "last": np.array([2], np.int64),
        "slopes": np.array([[[1.0, 0.5, 0.25, 0.75]]], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "reader",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 48, "W"])],
        [helper.make_tensor_value_info("chances", TensorProto.FLOAT, ["N", "T", 4])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(made, {"character": "惨\n寞"})
    return made.SerializeToString()


def test_a_glyph_stands_in_the_middle_of_a_white_line() -> None:
    seen = line(np.zeros((64, 64), np.uint8))
    assert seen.shape == (3, 48, 96)
    assert (seen[:, :, 24:72] == -1).all()
    assert (seen[:, :, :24] == 1).all() and (seen[:, :, 72:] == 1).all()
    assert line(np.full((8, 8), 255, np.uint8)).min() == 1


def test_characters_are_ranked_by_their_best_place_and_nothing_is_no_character() -> None:
    # Of the classes nothing, 惨, 寞 and space, with 1, 0.5, 0.25 and 0.75 of the darkness.
    reader = Reader(reader_model())
    glyphs = [np.zeros((32, 32), np.uint8)] * 20  # more than a batch
    assert reader.ranked(glyphs, best=3) == [[" ", "惨", "寞"]] * 20


def test_shares_count_the_characters_that_are_among_the_best() -> None:
    ranked = [["a", "b", "c"], ["b", "a", "c"], ["c", "b", "x"], ["b", "c", "d"]]
    assert [share(ranked, "aaaa", best=best) for best in (1, 2, 3)] == [0.25, 0.5, 0.5]


def test_a_font_is_judged_by_its_glyphs_and_relative_to_the_real_ones() -> None:
    half, full = np.full((16, 16), 255, np.uint8), np.zeros((16, 16), np.uint8)
    half[:8] = 0
    found = judged(Reader(reader_model()), Sets("惨寞", [full, full], [half, full], [full, full]))
    assert (found.real_top1, found.real_top5, found.top5) == (0.0, 1.0, 1.0)
    assert found.relative is None
    assert found.written["ink_iou"] == pytest.approx((0.5 + 1) / 2)
    assert found.written["l1"] == pytest.approx(0.25)
    assert found.source["ink_iou"] == 1.0
    assert found.worst == "惨寞"
    read = Found(2, {}, {}, real_top1=0.8, real_top5=1.0, top1=0.6, top5=1.0, worst="")
    assert read.relative == pytest.approx(0.75)


def test_the_recogniser_is_read_out_of_the_package_that_is_there(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rapidocr-3.10.0-py3-none-any.whl", "w") as package:
        package.writestr(legibility.INSIDE, b"model")
    assert legibility.recogniser(tmp_path) == b"model"


def test_the_table_of_a_model_that_copies_the_source(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    shutil.copy(FONTS / "NotoSansSC.otf", fonts)
    shutil.copy(FONTS / "ZCOOLXiaoWei.ttf", fonts)
    with zipfile.ZipFile(tmp_path / "rapidocr-3.10.0.whl", "w") as package:
        package.writestr(legibility.INSIDE, reader_model())
    named = renamed(model / "model.onnx", "same", "ZCOOL XiaoWei", to=tmp_path / "named.onnx")
    words = [str(named), "--data", str(fonts), "--source", "NotoSansSC.otf", "--characters", TEXT]
    words += ["--test-characters", "4", "--cache", str(tmp_path), "--domains", "ZCOOL XiaoWei"]
    words += ["--json", str(tmp_path / "out.json"), "--sheet", str(tmp_path / "out.png")]
    assert legibility.main(words) == 0
    assert "| ZCOOL XiaoWei | " in capsys.readouterr().out
    found = json.loads((tmp_path / "out.json").read_text())["ZCOOL XiaoWei"]
    faces = [Typeface(fonts / name, size=SIDE, placing=DRAWING) for name in ("NotoSansSC.otf", "ZCOOLXiaoWei.ttf")]
    held = split(TEXT, test=4, val=0)["test"]
    expected = np.mean([np.abs(faces[0].draw(c).astype(float) - faces[1].draw(c)).mean() / 255 for c in held])
    assert found["characters"] == 4
    assert found["written"] == found["source"]
    assert found["written"]["l1"] == pytest.approx(expected, rel=1e-6)
    assert (tmp_path / "out.png").stat().st_size > 100
    assert legibility.main([*words, "--domains", "negative"]) == 2


def test_the_source_may_be_one_of_a_collection(model: Path, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    collection = TTCollection()
    collection.fonts = [TTFont(FONTS / name) for name in ("MaShanZheng.ttf", "ZCOOLXiaoWei.ttf")]
    collection.save(fonts / "both.ttc")
    shutil.copy(FONTS / "NotoSansSC.otf", fonts)
    found = {}
    for name in ("both.ttc", "both.ttc#1"):
        options = Namespace(model=str(model), data=fonts, source=name, targets=[], characters=TEXT, test_characters=4)
        found[name] = legibility.opened(options)[0].face.name
    assert found == {"both.ttc": "Ma Shan Zheng", "both.ttc#1": "ZCOOL XiaoWei"}


def renamed(path: Path, old: str, new: str, *, to: Path) -> Path:
    """The model with another name for a domain in its card."""
    made = onnx.load(io.BytesIO(path.read_bytes()))
    for entry in made.metadata_props:
        entry.value = entry.value.replace(f'"{old}"', f'"{new}"')
    to.write_bytes(made.SerializeToString())
    return to
