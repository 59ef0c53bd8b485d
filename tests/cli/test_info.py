import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.cli.info import _condition
from i2i.cli.main import main
from i2i.images.card import Condition, Drawing, NetworkSpec, Pixels, Sizing
from tests.dataset.fonts import square_font


def info(*arguments) -> int:
    return main(["info", *map(str, arguments)])


def test_a_model_is_described_by_its_card(make_model, capsys):
    model = make_model(
        name="m.onnx",
        source=Pixels(colour="gray"),
        sizing=Sizing(rule="pad", multiple=128, minimum=256),
        network=NetworkSpec(type="unet", arguments={"depth": 7}),
        licence="CC0-1.0",
        metrics={"psnr": 23.456},
        domains=("summer", "winter"),
        scale=2,
        step=1200,
    )
    assert info(model) == 0
    said = capsys.readouterr().out
    for fact in (
        "takes:         grey pictures",
        "gives:         RGB pictures, 2 times as large",
        "sizes:         any, padded to a multiple of 128, at least 256",
        "condition:     domains: summer, winter",
        "network:       unet, depth 7",
        "method:        pix2pix, 1200 steps",
        "metrics:       psnr 23.46",
        "licence:       CC0-1.0",
    ):
        assert fact in said


@pytest.mark.parametrize(
    ("sizing", "said"),
    [
        (Sizing(rule="fixed", width=8, height=4), "8x4 only"),
        (Sizing(rule="resize", width=8, height=4), "any, resized to 8x4 and back"),
    ],
)
def test_the_size_rule_is_said_in_words(make_model, capsys, sizing, said):
    info(make_model(sizing=sizing))
    assert said in capsys.readouterr().out


def test_weights_are_described_by_their_card_alone(card, tmp_path, capsys):
    (tmp_path / "model.safetensors").write_bytes(b"12345")
    (tmp_path / "card.json").write_text(card(licence="MIT").to_json())
    assert info(tmp_path) == 0
    assert "licence:       MIT" in capsys.readouterr().out


def test_what_is_not_there_exits_with_2(tmp_path, capsys):
    assert info(tmp_path / "nothing") == 2
    assert "E_MODEL_NOT_FOUND" in capsys.readouterr().err


def run_folder(folder: Path, card) -> Path:
    (folder / "checkpoints/step-00000010").mkdir(parents=True)
    (folder / "checkpoints/step-00000020").mkdir()
    (folder / "recipe.yaml").write_text(
        "method: {type: pix2pix}\ngenerator: {type: unet}\ndata: {root: /pictures}\ntraining: {steps: 500}\n"
    )
    entries = [
        {"step": 5, "losses": {"l1": 0.25}},
        {"step": 20, "losses": {"l1": 0.125}},
        {"step": 20, "metrics": {"psnr": 20}},
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"step": 2')
    (folder / "checkpoints/step-00000010/state.json").write_bytes(b"12345")
    manifest = {"format": 1, "step": 10, "recipe": "x", "files": {"state.json": {"bytes": 5, "sha256": "0"}}}
    (folder / "checkpoints/step-00000010/MANIFEST.json").write_text(json.dumps(manifest))
    (folder / "model").mkdir()
    (folder / "model/card.json").write_text(card(step=10).to_json())
    return folder


def test_a_run_is_described_by_its_recipe_log_and_checkpoints(tmp_path, card, capsys):
    assert info(run_folder(tmp_path / "run", card)) == 0
    said = capsys.readouterr().out
    for fact in (
        "method:        pix2pix, generator unet",
        "data:          /pictures",
        "steps:         20 of 500",
        "losses:        l1 0.125 (step 20)",
        "metrics:       psnr 20 (step 20)",
        "step-00000010 (step 10, all files there)",
        "step-00000020 (incomplete: no readable MANIFEST.json)",
        "step 10",
    ):
        assert fact in said


def test_what_is_wrong_with_a_run_and_has_not_passed_is_said(tmp_path, card, capsys):
    run = run_folder(tmp_path / "run", card)
    info(run)
    assert "health:" not in capsys.readouterr().out

    def finding(name, *, passed=False):
        return {"name": name, "message": f"{name}: do this", "passed": passed}

    looks = [
        {"step": 50, "health": {"diversity": 0.1}},
        {"step": 100, "health": {"findings": [finding("alike"), finding("blind")]}},
        {"step": 150, "health": {"findings": [finding("alike", passed=True)]}},
        {"step": 200, "health": {"findings": [finding("blank")]}},
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(look) + "\n" for look in looks))
    info(run)
    assert [line.strip() for line in capsys.readouterr().out.splitlines() if "do this" in line or "health" in line] == [
        "health:        blind: do this (since step 100)",
        "blank: do this (since step 200)",
    ]
    (run / "log.jsonl").write_text(json.dumps(looks[0]) + "\n")
    info(run)
    assert "health:        nothing to complain about" in capsys.readouterr().out


def test_a_checkpoint_with_a_short_file_is_called_incomplete(tmp_path, card, capsys):
    run = run_folder(tmp_path / "run", card)
    (run / "checkpoints/step-00000010/state.json").write_bytes(b"1")
    info(run)
    assert "step-00000010 (incomplete: state.json)" in capsys.readouterr().out


def test_a_run_that_has_just_begun_is_described(tmp_path, capsys):
    (tmp_path / "recipe.yaml").write_text("training: {steps: 9}\n")
    assert info(tmp_path) == 0
    said = capsys.readouterr().out
    assert "steps:         0 of 9" in said
    assert "checkpoints:   none" in said
    assert "model:         none yet" in said


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\x00"])
def test_a_recipe_that_cannot_be_read_exits_with_2(tmp_path, text):
    (tmp_path / "recipe.yaml").write_text(text)
    assert info(tmp_path) == 2


def dataset(folder: Path) -> Path:
    for split, shade in (("train", 10), ("test", 20)):
        for side in "AB":
            (folder / split / side).mkdir(parents=True)
            Image.fromarray(np.full((8, 8, 3), shade + ord(side), np.uint8)).save(folder / split / side / "a.png")
    return folder


def test_a_good_folder_of_pairs_is_counted(tmp_path, capsys):
    assert info(dataset(tmp_path / "data")) == 0
    said = capsys.readouterr().out
    assert "train: 1 pairs" in said
    assert "nothing is wrong" in said


def test_a_folder_of_pairs_is_domains_when_asked(tmp_path, capsys):
    assert info(dataset(tmp_path / "data"), "--data.type", "domains") == 0
    said = capsys.readouterr().out
    assert "read as --data.type domains, domains: A, B\n" in said
    assert "train: 2 pictures, first a.png" in said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["train/ass/1.png", "train/horse/2.png", "train/zebra/3.png"], "domains, domains: ass, horse, zebra\n"),
        (["cat/1.png", "dog/2.png"], "domains, domains: cat, dog\n"),
        (["1.png", "2.png"], "images\n"),
        (["1.png", "list_attr.txt"], "attributes, attributes: Hat, Age (0.5 to 1.5)\n"),
    ],
)
def test_pictures_without_partners_are_described_as_what_they_look_like(tmp_path, capsys, files, said):
    for number, name in enumerate(files):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".txt"):
            (tmp_path / name).write_text("1\nHat Age\n1.png 1 0.5\n")
        else:
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / name)
    assert info(tmp_path) == 0
    assert f"read as --data.type {said}train: " in capsys.readouterr().out


def test_an_unknown_type_of_data_exits_with_2(tmp_path, capsys):
    assert info(tmp_path, "--data.type", "domain") == 2
    assert "did you mean 'domains'" in capsys.readouterr().err


def test_a_side_is_not_named_of_data_that_have_none(tmp_path, capsys):
    assert info(tmp_path, "--data.type", "images", "--data.source", "a", "--data.target", "b") == 2
    assert "data of type 'images' has no --data.source and --data.target; leave" in capsys.readouterr().err
    assert info(tmp_path, "--data.type", "fonts", "--data.source", "a", "--data.target", "b") == 2
    assert "data of type 'fonts' has no --data.target; leave it out" in capsys.readouterr().err


def test_a_folder_of_fonts_is_counted_when_its_source_is_named(tmp_path, capsys):
    ten = "啊阿埃挨哎唉哀皑癌蔼"
    for name in ("Source", "One"):
        square_font(tmp_path / f"{name}.ttf", dict.fromkeys(ten, (0, 0, 500, 500)), family=name)
    assert info(tmp_path) == 2
    assert "which font is the source? --data.source FILE; there are: One.ttf, Source.ttf" in capsys.readouterr().err
    assert info(tmp_path, "--data.source", "Source.ttf") == 0
    said = capsys.readouterr().out
    # 300 of the 3,755 are held out, and none of these ten is among them.
    assert "read as --data.type fonts, domains: One" in said
    assert "train: 10 glyphs, first One/U+554A" in said
    assert "One: 3745 of 3755 characters left out" in said


def test_a_model_of_fonts_says_what_it_starts_from_and_that_they_mix(make_model, capsys):
    drawing = Drawing(font="Noto Sans CJK SC", file="NotoSansSC.otf")
    info(make_model(drawing=drawing))
    assert "source font:   Noto Sans CJK SC (NotoSansSC.otf)" in capsys.readouterr().out
    mixed = Condition(kind="domains", names=("a", "b"), mixed=True)
    assert _condition(mixed) == "domains, which can be mixed: a, b"


def test_everything_that_is_wrong_with_a_folder_is_listed_at_once(tmp_path, capsys):
    data = dataset(tmp_path / "data")
    (data / "train/A/alone.png").write_bytes((data / "train/A/a.png").read_bytes())
    (data / "test/B/a.png").write_bytes(b"")
    assert info(data) == 3
    said = capsys.readouterr().out
    assert "E_PAIR_MISSING" in said
    assert "alone.png" in said
    assert "E_EMPTY" in said


def test_a_folder_that_is_no_dataset_exits_with_3(tmp_path):
    (tmp_path / "stuff").mkdir()
    (tmp_path / "stuff/notes.txt").write_text("x")
    assert info(tmp_path / "stuff") == 3
