import os
import resource

import numpy as np
import pytest
from PIL import Image

from i2i.errors import Exit, I2IError
from i2i.files import lock
from i2i.runtime.convert import Options, convert_folder
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.plan import Shard
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


class Elsewhere(OnnxSession):
    """Says that it ran on another engine."""

    provider = property(lambda self: "cuda", lambda self, value: None)


def test_resume_with_other_tiles_or_on_another_provider_does_all_again(make_model, source):
    session = OnnxSession(make_model(), threads=1)
    picture(source / "a.png", 10)
    converted(Translator(session, tile=64), source)
    assert converted(Translator(session, tile=64), source, existing="resume").skipped == 1
    for tile in (32, 0, None):
        assert converted(Translator(session, tile=tile), source, existing="resume").converted == 1
        assert converted(Translator(session, tile=tile), source, existing="resume").skipped == 1
    elsewhere = Translator(Elsewhere(make_model(), threads=1, provider="cpu"))
    assert converted(elsewhere, source, existing="resume").converted == 1
    assert converted(elsewhere, source, existing="resume").skipped == 1


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
    of_shards = {name: (out / name).read_bytes() for name in names(out)}
    converted(translator, source, existing="overwrite")
    assert {name: (out / name).read_bytes() for name in names(out)} == of_shards


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
