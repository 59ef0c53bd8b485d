import json
import os
import resource
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from i2i.errors import Exit, I2IError
from i2i.files import lock
from i2i.images.card import METADATA_KEY
from i2i.runtime.convert import Options, convert_folder
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.plan import Shard
from i2i.runtime.translator import Translator


@pytest.fixture
def translator(make_model):
    return Translator(OnnxSession(make_model(), threads=1))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def picture(path: Path, value: int = 10, size: tuple[int, int] = (5, 3), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path, **options)
    return path


def converted(translator, source, **options):
    others = {name: options.pop(name) for name in ("report", "stopped", "model") if name in options}
    output = source.parent / "out"
    return convert_folder(translator, source, output, options=Options(**options), **{"model": "digest", **others})


def refused(translator, source, **options) -> I2IError:
    with pytest.raises(I2IError) as caught:
        converted(translator, source, **options)
    return caught.value


def names(folder: Path) -> set[str]:
    files = (os.path.relpath(path, folder) for path in folder.rglob("*") if not path.is_dir())
    return {name for name in files if not name.endswith(".jsonl") and Path(name).name != ".lock"}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def level(path: Path) -> int:
    return int(np.asarray(Image.open(path).convert("L"))[0, 0])


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


def test_two_inputs_for_one_output_are_refused_before_work(translator, source):
    picture(source / "a.png")
    picture(source / "a.jpg")
    error = refused(translator, source, wanted="png")
    assert (error.code, error.exit_code) == ("E_COLLISION", Exit.REFUSED)
    assert "a.jpg -> a.png; a.png -> a.png" in str(error)
    assert not (source.parent / "out").exists()


def test_keep_extension_puts_them_apart(translator, source):
    picture(source / "a.png", 10)
    picture(source / "a.jpg", 20)
    converted(translator, source, wanted="png", keep_extension=True)
    out = source.parent / "out"
    assert names(out) == {"a.png", "a.jpg.png"}
    assert (level(out / "a.png"), level(out / "a.jpg.png")) == (245, 235)


@pytest.mark.parametrize("where", ["in", "in/deeper", "link", "link/deeper", "in/../in"])
def test_an_output_that_is_or_lies_in_the_input_is_refused(translator, source, where):
    picture(source / "a.png")
    (source.parent / "link").symlink_to(source)
    with pytest.raises(I2IError) as caught:
        convert_folder(translator, source, source.parent / where, model="m", options=Options())
    assert (caught.value.code, caught.value.exit_code) == ("E_INOUT_OVERLAP", Exit.REFUSED)
    assert names(source) == {"a.png"}


def test_a_link_inside_the_output_that_leads_back_is_refused(translator, source):
    picture(source / "sub/a.png")
    (source.parent / "out").mkdir()
    (source.parent / "out/sub").symlink_to(source / "sub")
    assert refused(translator, source, existing="overwrite").code == "E_INOUT_OVERLAP"


def test_a_link_out_of_the_input_is_not_followed(translator, source):
    picture(source / "a.png")
    picture(source.parent / "secret.png")
    (source / "b.png").symlink_to(source.parent / "secret.png")
    converted(translator, source)
    assert names(source.parent / "out") == {"a.png"}


def test_no_images_is_an_error_and_not_a_success(translator, source):
    (source / "notes.txt").write_text("none")
    error = refused(translator, source)
    assert (error.code, error.exit_code) == ("E_NO_IMAGES", Exit.REFUSED)


def test_outputs_that_exist_are_refused_with_their_count(translator, source):
    for name in ("a.png", "b.png", "c.png"):
        picture(source / name)
    picture(source.parent / "out/a.png", 99)
    picture(source.parent / "out/c.png", 99)
    error = refused(translator, source)
    assert (error.code, error.exit_code) == ("E_EXISTS", Exit.REFUSED)
    assert "2 of 3" in str(error)
    assert level(source.parent / "out/a.png") == 99


def test_overwrite_replaces_them(translator, source):
    picture(source / "a.png", 10)
    picture(source.parent / "out/a.png", 99)
    converted(translator, source, existing="overwrite")
    assert level(source.parent / "out/a.png") == 245


def test_resume_without_a_manifest_does_not_replace_what_it_did_not_write(translator, source):
    picture(source / "a.png")
    picture(source.parent / "out/a.png", 99)
    assert refused(translator, source, existing="resume").code == "E_EXISTS"


def test_resume_skips_what_is_verified_and_does_the_rest(translator, source):
    for name in ("a.png", "b.png", "c.png", "d.png"):
        picture(source / name)
    converted(translator, source)
    out = source.parent / "out"
    (out / "b.png").unlink()
    (out / "c.png").write_bytes((out / "c.png").read_bytes()[:-1] + b"x")
    outcome = converted(translator, source, existing="resume")
    assert (outcome.skipped, outcome.converted) == (2, 2)
    assert [level(out / name) for name in ("b.png", "c.png")] == [245, 245]


def test_resume_does_changed_sources_again_and_touched_ones_not(translator, source):
    picture(source / "touched.png", 10)
    picture(source / "changed.png", 10)
    converted(translator, source)
    os.utime(source / "touched.png", (1, 1))
    picture(source / "changed.png", 20)
    os.utime(source / "changed.png", (1, 1))
    outcome = converted(translator, source, existing="resume")
    assert (outcome.skipped, outcome.converted) == (1, 1)
    assert level(source.parent / "out/changed.png") == 235


def test_resume_with_another_model_or_domain_does_all_again(make_model, source):
    both = Translator(OnnxSession(make_model(domains=("same", "inverse")), threads=1))
    picture(source / "a.png", 10)
    converted(both, source, domain="same")
    assert converted(both, source, domain="same", existing="resume").skipped == 1
    assert converted(both, source, domain="inverse", existing="resume").converted == 1
    assert level(source.parent / "out/a.png") == 245
    assert converted(both, source, domain="inverse", existing="resume", model="other").converted == 1


def test_a_torn_last_line_of_the_manifest_costs_one_picture(translator, source):
    for name in ("a.png", "b.png"):
        picture(source / name)
    converted(translator, source)
    manifest = source.parent / "out/manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-30])
    outcome = converted(translator, source, existing="resume")
    assert (outcome.skipped, outcome.converted) == (1, 1)
    assert converted(translator, source, existing="resume").skipped == 2


def test_failures_of_an_earlier_run_are_forgotten(translator, source):
    (source / "a.png").write_bytes(b"")
    converted(translator, source)
    picture(source / "a.png")
    assert converted(translator, source, existing="resume").exit_code == Exit.DONE
    assert not (source.parent / "out/failures.jsonl").exists()


def test_shards_share_the_sorted_list_and_keep_their_own_books(translator, source):
    for number in range(5):
        picture(source / f"{number}.png")
    (source / "1.png").write_bytes(b"")
    converted(translator, source, shard=Shard.parse("1/2"))
    out = source.parent / "out"
    assert names(out) == {"0.png", "2.png", "4.png"}
    converted(translator, source, shard=Shard.parse("2/2"))
    assert names(out) == {"0.png", "2.png", "3.png", "4.png"}
    assert len(lines(out / "manifest-1-of-2.jsonl")) == 3
    assert lines(out / "failures-2-of-2.jsonl")[0]["path"] == "1.png"
    assert converted(translator, source, existing="resume").skipped == 4


def test_a_collision_is_found_across_shards(translator, source):
    picture(source / "a.png")
    picture(source / "a.jpg")
    assert refused(translator, source, wanted="png", shard=Shard(1, 2)).code == "E_COLLISION"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3"])
def test_a_shard_that_is_not_one_is_refused(text):
    with pytest.raises(I2IError) as caught:
        Shard.parse(text)
    assert caught.value.exit_code == Exit.USAGE


def test_a_second_conversion_into_the_same_folder_is_refused_while_the_first_lives(translator, source):
    picture(source / "a.png")
    with lock(source.parent / "out"):
        error = refused(translator, source)
    assert (error.code, error.exit_code) == ("E_LOCKED", Exit.ENVIRONMENT)
    assert str(os.getpid()) in str(error)


def test_a_full_disk_stops_everything_and_leaves_no_partial_file(translator, source):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    picture(source / "a.png")
    Image.fromarray(noise).save(source / "b.png")
    picture(source / "c.png")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        error = refused(translator, source, workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    out = source.parent / "out"
    assert (error.code, error.exit_code) == ("E_NOSPACE", Exit.ENVIRONMENT)
    assert "a.png" in names(out)
    assert names(out) <= {"a.png", "c.png"}
    assert converted(translator, source, existing="resume").finished == 3
    assert names(out) == {"a.png", "b.png", "c.png"}


def test_a_stop_finishes_what_is_being_written_and_resume_does_the_rest(translator, source):
    for number in range(20):
        picture(source / f"{number:02}.png")
    seen = []
    outcome = converted(translator, source, report=lambda *_: seen.append(1), stopped=lambda: len(seen) >= 3, workers=2)
    out = source.parent / "out"
    assert outcome.stopped
    assert 3 <= outcome.converted < 20
    assert {entry["output"] for entry in lines(out / "manifest.jsonl")} == names(out)
    rest = converted(translator, source, existing="resume")
    assert rest.skipped == outcome.converted
    assert len(names(out)) == 20


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


def test_an_unknown_domain_is_refused_before_work_with_the_nearest_name(make_model, source):
    translator = Translator(OnnxSession(make_model(domains=("summer", "winter")), threads=1))
    picture(source / "a.png")
    error = refused(translator, source, domain="sumer")
    assert error.code == "E_CONDITION"
    assert "did you mean 'summer'?" in str(error)
    assert not (source.parent / "out").exists()


def test_an_output_that_appears_during_the_work_is_not_replaced(translator, source):
    for number in range(12):
        picture(source / f"{number:02}.png")
    last = source.parent / "out/11.png"

    def intrude(outcome, result):
        if not last.exists():
            picture(last, 99)

    outcome = converted(translator, source, workers=1, report=intrude)
    assert level(last) == 99
    failure = lines(source.parent / "out/failures.jsonl")[0]
    assert (failure["code"], failure["path"], failure["stage"]) == ("E_EXISTS", "11.png", "write")
    assert (outcome.converted, outcome.failed) == (11, 1)
