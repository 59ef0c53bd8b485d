"""Folders converted to every domain, or with attributes changed: where outputs go, what --resume takes for done."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images.card import Condition
from i2i.runtime.convert import Options, convert_one
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.plan import Shard
from i2i.runtime.translator import Translator
from tests.runtime.folders import converted, level, lines, names, picture, refused

DOMAINS = ("same", "inverse", "also inverse")


@pytest.fixture
def translator(make_model):
    return Translator(OnnxSession(make_model(domains=DOMAINS), threads=1))


@pytest.fixture
def source(tmp_path) -> Path:
    picture(tmp_path / "in/a.png", 10)
    picture(tmp_path / "in/deep/b.png", 20)
    return tmp_path / "in"


def everything(folder: Path) -> dict[str, int]:
    return {name: level(folder / name) for name in names(folder)}


EVERY = {
    "same/a.png": 10,
    "same/deep/b.png": 20,
    "inverse/a.png": 245,
    "inverse/deep/b.png": 235,
    "also inverse/a.png": 245,
    "also inverse/deep/b.png": 235,
}


def test_every_domain_has_the_tree_in_a_folder_of_its_own_and_one_manifest_lists_all(translator, source, tmp_path):
    outcome = converted(translator, source, every_domain=True)
    assert everything(tmp_path / "out") == EVERY
    assert (outcome.total, outcome.converted) == (6, 6)
    listed = {entry["output"]: entry["domain"] for entry in lines(tmp_path / "out/manifest.jsonl")}
    assert listed == {name: name.split("/")[0] for name in EVERY}


def test_resuming_does_what_is_missing_of_any_domain(translator, source, tmp_path):
    converted(translator, source, every_domain=True)
    (tmp_path / "out/inverse/a.png").unlink()
    (tmp_path / "out/same/deep/b.png").write_bytes(b"torn")
    again = converted(translator, source, every_domain=True, existing="resume")
    assert (again.converted, again.skipped) == (2, 4)
    assert everything(tmp_path / "out") == EVERY
    assert converted(translator, source, every_domain=True, existing="overwrite").converted == 6


def test_an_output_of_one_domain_that_is_there_forbids_all_before_work(translator, source, tmp_path):
    picture(tmp_path / "out/inverse/a.png", 77)
    error = refused(translator, source, every_domain=True)
    assert error.code == "E_EXISTS"
    assert "1 of 6 outputs exist already (inverse/a.png)" in str(error)
    assert everything(tmp_path / "out") == {"inverse/a.png": 77}


def test_a_domains_folder_that_leads_into_the_input_is_refused(translator, source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/inverse").symlink_to(source)
    assert refused(translator, source, every_domain=True, existing="overwrite").code == "E_INOUT_OVERLAP"
    assert everything(source) == {"a.png": 10, "deep/b.png": 20}


def test_shards_share_the_work_of_all_domains(translator, source, tmp_path):
    parts = [converted(translator, source, every_domain=True, shard=Shard(part, 2)) for part in (1, 2)]
    assert [part.converted for part in parts] == [3, 3]
    assert everything(tmp_path / "out") == EVERY


def test_a_broken_picture_fails_for_every_domain(translator, source, tmp_path):
    (source / "broken.png").write_bytes(b"")
    outcome = converted(translator, source, every_domain=True)
    assert (outcome.converted, outcome.failed) == (6, 3)
    assert {failure["path"] for failure in lines(tmp_path / "out/failures.jsonl")} == {"broken.png"}


def test_a_model_without_domains_cannot_make_all_of_them(make_model, source, tmp_path):
    error = refused(Translator(OnnxSession(make_model(), threads=1)), source, every_domain=True)
    assert error.code == "E_CONDITION"
    assert not (tmp_path / "out").exists()


def test_a_domain_that_cannot_name_a_folder_is_refused_with_the_way_around(make_model, source, tmp_path):
    translate = Translator(OnnxSession(make_model(domains=("fine", "../up")), threads=1))
    error = refused(translate, source, every_domain=True)
    assert "no folder can be named '../up'; name this domain by itself" in str(error)
    assert not (tmp_path / "out").exists()


def one(translator, source: Path, output: Path, *, into_folder: bool = True, **options) -> list[Path]:
    told = Options(every_domain=True, **options)
    return convert_one(translator, source, output, into_folder=into_folder, model="digest", options=told)


def test_one_picture_goes_into_the_folder_of_every_domain(translator, source, tmp_path):
    written = one(translator, source / "a.png", tmp_path / "new")
    assert written == [tmp_path / "new" / domain / "a.png" for domain in DOMAINS]
    assert everything(tmp_path / "new") == {"same/a.png": 10, "inverse/a.png": 245, "also inverse/a.png": 245}
    (tmp_path / "new/same/a.png").unlink()
    with pytest.raises(I2IError, match="2 of 3 outputs exist") as caught:
        one(translator, source / "a.png", tmp_path / "new")
    assert caught.value.code == "E_EXISTS"
    assert len(one(translator, source / "a.png", tmp_path / "new", existing="overwrite")) == 3


def test_one_file_cannot_hold_every_domain(translator, source, tmp_path):
    with pytest.raises(I2IError, match="is no folder, and every domain gets one below it") as caught:
        one(translator, source / "a.png", tmp_path / "x.png", into_folder=False)
    assert caught.value.code == "E_USAGE"


class Brighter:
    """A session of attributes: adds 100 levels times the first one, 10 where it is kept."""

    provider, lanes, obstacle = "cpu", 1, ""

    def __init__(self, card) -> None:
        self.card = card

    def run(self, image, *, domain=None, condition=None):
        steps = np.nan_to_num(100 * condition[:, 0], nan=10).astype(np.uint8)
        return image + steps[:, None, None, None]


@pytest.fixture
def brighter(card):
    return Translator(Brighter(card(condition=Condition(kind="attributes", names=("light", "smile")))))


def test_attributes_are_changed_and_what_was_made_with_others_is_not_taken_for_done(brighter, source, tmp_path):
    converted(brighter, source, attributes={"light": 0.5})
    assert everything(tmp_path / "out") == {"a.png": 60, "deep/b.png": 70}
    again = converted(brighter, source, attributes={"light": 0.5}, existing="resume")
    assert (again.skipped, again.converted) == (2, 0)
    other = converted(brighter, source, attributes={"smile": 1.0}, existing="resume")
    assert (other.skipped, other.converted) == (0, 2)
    assert everything(tmp_path / "out") == {"a.png": 20, "deep/b.png": 30}


def test_what_was_made_when_a_manifest_did_not_say_with_which_tiles_is_made_again(translator, source, tmp_path):
    converted(translator, source, domain="inverse")
    path = tmp_path / "out/manifest.jsonl"
    old = [{key: value for key, value in entry.items() if key != "tile"} for entry in lines(path)]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in old))
    assert converted(translator, source, domain="inverse", existing="resume").converted == 2
    assert converted(translator, source, domain="inverse", existing="resume").skipped == 2


def test_attributes_that_are_not_there_are_refused_before_work(brighter, translator, source, tmp_path):
    assert "did you mean 'smile'" in str(refused(brighter, source, attributes={"smiel": 1}))
    assert "needs to be told what to change" in str(refused(brighter, source))
    assert "takes no attributes; leave out smile" in str(
        refused(translator, source, domain="same", attributes={"smile": 1})
    )
    assert not (tmp_path / "out").exists()
    assert Image.open(source / "a.png").getpixel((0, 0)) == (10, 10, 10)
