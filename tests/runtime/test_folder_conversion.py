import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from i2i.errors import Exit
from i2i.images.card import METADATA_KEY
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.translator import Translator
from tests.runtime.folders import converted, level, lines, names, picture, refused


@pytest.fixture
def translator(make_model):
    return Translator(OnnxSession(make_model(), threads=1))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def test_the_tree_is_mirrored_and_each_picture_translated(translator, source):
    picture(source / "x/a.png", 10)
    picture(source / "y/a.png", 20)
    picture(source / "top.png", 30)
    outcome = converted(translator, source)
    out = source.parent / "out"
    assert names(out) == {"x/a.png", "y/a.png", "top.png"}
    assert [level(out / name) for name in ("x/a.png", "y/a.png", "top.png")] == [245, 235, 225]
    assert (outcome.converted, outcome.failed, outcome.exit_code) == (3, 0, Exit.DONE)
    assert not (out / "failures.jsonl").exists()


@pytest.mark.parametrize("size", [(1, 1), (7, 5000), (5000, 7), (33, 17)])
def test_the_size_of_the_output_is_that_of_the_input(translator, source, size):
    picture(source / "a.png", size=size)
    converted(translator, source)
    assert Image.open(source.parent / "out/a.png").size == size


NAMES = ["with space.png", "émoji 🎨.png", "new\nline.png", "-dash.png", "quote'\".png", os.fsdecode(b"latin-\xe9.png")]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_works_and_comes_out_the_same(translator, source, name):
    picture(source / name)
    (source / f"bad {name}").write_bytes(b"")
    converted(translator, source)
    out = source.parent / "out"
    assert names(out) == {name}
    assert lines(out / "failures.jsonl")[0]["path"] == f"bad {name}"
    again = converted(translator, source, existing="resume")
    assert (again.skipped, again.failed) == (1, 1)


def broken_files(source: Path) -> dict[str, str]:
    whole = picture(source / "whole.png", size=(40, 40)).read_bytes()
    contents = {
        "empty.png": (b"", "E_EMPTY"),
        "cut.png": (whole[:-20], "E_TRUNCATED"),
        "random.png": (np.random.default_rng(1).bytes(500), "E_UNIDENTIFIED"),
        "page.jpg": (b"<!DOCTYPE html><html></html>", "E_UNIDENTIFIED"),
        "document.png": (b"%PDF-1.7\n" + bytes(50), "E_FORMAT_BLOCKED"),
        "bomb.png": (_declares(whole, 50_000, 50_000), "E_TOO_MANY_PIXELS"),
    }
    for name, (data, _) in contents.items():
        (source / name).write_bytes(data)
    return {name: code for name, (_, code) in contents.items()}


def _declares(png: bytes, width: int, height: int) -> bytes:
    import zlib

    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + png[24:29]
    return png[:12] + header + zlib.crc32(header).to_bytes(4) + png[33:]


def test_broken_files_fail_with_their_codes_and_the_rest_is_done(translator, source):
    expected = broken_files(source)
    outcome = converted(translator, source)
    out = source.parent / "out"
    failures = lines(out / "failures.jsonl")
    assert {failure["path"]: failure["code"] for failure in failures} == expected
    assert names(out) == {"whole.png"}
    assert (outcome.failed, outcome.exit_code) == (len(expected), Exit.ITEMS_FAILED)
    cut = next(failure for failure in failures if failure["path"] == "cut.png")
    assert list(cut) == ["code", "path", "stage", "detail", "bytes", "format", "size"]
    assert (cut["stage"], cut["format"], cut["size"]) == ("read", "PNG", None)
    assert cut["bytes"] == (source / "cut.png").stat().st_size


def test_a_fifo_does_not_hang_and_fails(translator, source):
    os.mkfifo(source / "pipe.png")
    converted(translator, source)
    assert lines(source.parent / "out/failures.jsonl")[0]["code"] == "E_NOT_REGULAR"


def test_when_every_picture_fails_the_exit_code_says_so(translator, source):
    (source / "a.png").write_bytes(b"")
    assert converted(translator, source).exit_code == Exit.ITEMS_FAILED


def test_the_wrong_extension_is_read_by_content_named_by_it_and_warned_about(translator, source):
    picture(source / "a.jpg", format="PNG")
    seen = []
    converted(translator, source, report=lambda outcome, result: seen.append(result.warnings))
    assert names(source.parent / "out") == {"a.png"}
    assert len(seen[0]) == 1


def test_an_animation_gives_its_first_frame_and_one_warning(translator, source):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("white", "black", "white")]
    frames[0].save(source / "a.gif", save_all=True, append_images=frames[1:])
    seen = []
    converted(translator, source, report=lambda outcome, result: seen.append(result.warnings))
    assert level(source.parent / "out/a.png") == 0
    assert len(seen[0]) == 1


def test_the_output_is_upright_and_carries_no_orientation_and_no_place(translator, source):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    picture(source / "a.jpg", size=(8, 4), exif=exif)
    converted(translator, source)
    result = Image.open(source.parent / "out/a.jpg")
    assert result.size == (4, 8)
    assert not dict(result.getexif())


def test_alpha_is_carried_where_the_type_can_and_left_out_elsewhere(translator, source):
    image = Image.new("RGBA", (4, 4), (10, 10, 10, 77))
    image.save(source / "a.png")
    converted(translator, source)
    assert Image.open(source.parent / "out/a.png").getpixel((0, 0))[3] == 77
    converted(translator, source, wanted="jpg")
    assert Image.open(source.parent / "out/a.jpg").mode == "RGB"


def test_the_format_same_keeps_the_type_by_content_and_gives_png_for_the_rest(translator, source):
    for name in ("a.JPEG", "b.webp", "c.tif", "d.bmp", "e.gif", "f.ppm"):
        picture(source / name)
    converted(translator, source)
    out = source.parent / "out"
    assert names(out) == {"a.JPEG", "b.webp", "c.tif", "d.bmp", "e.png", "f.ppm"}
    assert [Image.open(path).format for path in sorted(out.glob("[a-f].*"))] == [
        "JPEG",
        "WEBP",
        "TIFF",
        "BMP",
        "PNG",
        "PPM",
    ]


def test_a_format_decides_the_extension(translator, source):
    picture(source / "a.jpeg")
    converted(translator, source, wanted="jpg")
    assert names(source.parent / "out") == {"a.jpg"}


def hungry_model(path: Path, card) -> Path:
    """255 - x for pictures of one row; each further row asks for a petabyte."""
    nodes = [
        helper.make_node("Shape", ["image"], ["height"], start=1, end=2),
        helper.make_node("Sub", ["height", "one"], ["rows"]),
        helper.make_node("Mul", ["rows", "petabyte"], ["bytes"]),
        helper.make_node(
            "ConstantOfShape", ["bytes"], ["heap"], value=helper.make_tensor("v", TensorProto.UINT8, [1], [1])
        ),
        helper.make_node("ReduceMax", ["heap"], ["least"], keepdims=0),
        helper.make_node("BitwiseOr", ["least", "ones"], ["mask"]),
        helper.make_node("BitwiseXor", ["image", "mask"], ["image_out"]),
    ]
    weights = [
        numpy_helper.from_array(np.array([1], np.int64), "one"),
        numpy_helper.from_array(np.array([10**15], np.int64), "petabyte"),
        numpy_helper.from_array(np.array(255, np.uint8), "ones"),
    ]
    ports = [helper.make_tensor_value_info(n, TensorProto.UINT8, ["N", "H", "W", 3]) for n in ("image", "image_out")]
    graph = helper.make_graph(nodes, "hungry", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {METADATA_KEY: card().to_json()})
    onnx.save(model, path)
    return path


def test_a_picture_that_needs_too_much_memory_fails_alone(source, tmp_path, card):
    translator = Translator(OnnxSession(hungry_model(tmp_path / "hungry.onnx", card), threads=1))
    picture(source / "big.png", size=(4, 2))
    picture(source / "small.png", size=(4, 1))
    outcome = converted(translator, source)
    failure = lines(source.parent / "out/failures.jsonl")[0]
    assert (failure["code"], failure["path"], failure["stage"]) == ("E_OOM", "big.png", "translate")
    assert failure["size"] == [4, 2]
    assert (outcome.converted, outcome.exit_code) == (1, Exit.ITEMS_FAILED)


def test_a_picture_of_another_size_fails_alone_where_the_size_is_fixed(make_model, source):
    from i2i.images.card import Sizing

    model = make_model(sizing=Sizing(rule="fixed", width=4, height=2))
    picture(source / "a.png", size=(4, 2))
    picture(source / "b.png", size=(2, 4))
    outcome = converted(Translator(OnnxSession(model, threads=1)), source)
    failure = lines(source.parent / "out/failures.jsonl")[0]
    assert (failure["code"], failure["path"]) == ("E_SIZE", "b.png")
    assert "takes only 4x2" in failure["detail"]
    assert outcome.converted == 1


def test_label_maps_are_never_written_with_loss(make_model, source):
    from i2i.images.card import Pixels

    model = make_model(target=Pixels(colour="labels", palette=((0, 0, 0), (255, 255, 255))))
    translator = Translator(OnnxSession(model, threads=1))
    picture(source / "a.jpg")
    converted(translator, source)
    assert names(source.parent / "out") == {"a.png"}
    assert refused(translator, source, wanted="jpg").code == "E_USAGE"


def test_several_lanes_give_the_same_tree_in_the_same_order(make_model, source):
    for number in range(30):
        picture(source / f"{number:02}.png", 5 * number, size=(3 + number % 4, 3))
    (source / "07.png").write_bytes(b"")
    trees, orders = [], []
    for lanes in (1, 3):
        session = OnnxSession(make_model(), threads=lanes, throughput=lanes > 1)
        assert session.lanes == lanes
        seen = []
        outcome = converted(
            Translator(session),
            source,
            existing="overwrite",
            report=lambda outcome, result, seen=seen: seen.append(getattr(result, "item", result)),
        )
        assert (outcome.converted, outcome.failed) == (29, 1)
        out = source.parent / "out"
        trees.append({name: (out / name).read_bytes() for name in names(out)})
        orders.append(seen)
    assert trees[0] == trees[1]
    assert orders[0] == orders[1]
