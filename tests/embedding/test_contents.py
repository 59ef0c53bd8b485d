"""The folder: what is in it for which model, what is found out by itself, and how it is written."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from i2i import files
from i2i.cli.main import main
from i2i.embedding.contents import embedded, kit
from i2i.embedding.reference import fitted, is_line_drawing, noise, sketch
from i2i.errors import I2IError
from i2i.images.card import Drawing, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.loading import ModelPath
from tests.embedding.tiny import FAKE, KINDS, write_model

PROGRAMS = {"translate.py", "translate.mjs", "model.js", "package.json", "translate.cpp", "Translate.cs"}
PAGE = {"index.html", "app.js", "worker.js", "style.css", "models.json", "serve.py"}


def lines_on_paper(path):
    image = Image.new("RGB", (40, 30), "white")
    ImageDraw.Draw(image).ellipse((5, 5, 35, 25), outline="black", width=3)
    image.save(path)


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_one_model_gets_a_page_and_every_program(models, runtime, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["embed", str(models["plain"]), str(out), "--onnxruntime-web", str(runtime)]) == 0
    assert names(out) >= PROGRAMS | PAGE | {f"onnxruntime-web/{name}" for name in FAKE} | {"README.md", "card.json"}
    assert (out / "model.onnx").read_bytes() == models["plain"].read_bytes()
    assert ImageCard.from_json((out / "card.json").read_bytes()).name == "plain"
    assert "serve.py" in capsys.readouterr().out


def test_every_file_that_the_page_asks_for_is_there(models, runtime, tmp_path):
    out = tmp_path / "out"
    assert main(["embed", *map(str, models.values()), str(out), "--onnxruntime-web", str(runtime)]) == 0
    asked = {"style.css", "app.js", "worker.js", "compare.js", "drawing.js", "steering.js", "model.js"}
    text = "".join((out / name).read_text() for name in [*sorted(asked - {"style.css"}), "index.html"])
    assert all(name in text for name in asked)
    listed = json.loads((out / "models.json").read_text())["models"]
    assert [entry["name"] for entry in listed] == list(models)
    for entry in listed:
        files = {"model.onnx", "card.json", "reference.json", "reference-output.png", *entry["examples"]}
        files |= set() if entry["noise"] else {"reference-input.png"}
        assert names(out / entry["path"]) == files
        assert entry["bytes"] == (out / entry["path"] / "model.onnx").stat().st_size
    assert asked <= names(out)


def test_nothing_of_ours_asks_another_host(open_model):
    made = kit([open_model("plain")], FAKE)
    page = {name: data.decode() for name, data in made.items() if name.endswith((".html", ".js", ".css"))}
    assert len(page) > 6
    assert [name for name, text in page.items() if "http" in text.replace("http-equiv", "")] == []


def test_without_a_page_there_is_no_runtime(write_kit):
    found = names(write_kit("plain"))
    assert found >= PROGRAMS
    assert not found & PAGE


def test_the_readme_names_what_the_model_takes(write_kit):
    assert '--domain "flat & <b>"' in (write_kit("styles") / "README.md").read_text()
    faces = (write_kit("faces") / "README.md").read_text()
    assert '--set "black_hair=1"' in faces
    assert "./translate INPUT.png OUTPUT.png 1 nan nan" in faces
    assert "`latent` float32 [N, 3]" in (write_kit("noise") / "README.md").read_text()


def test_a_folder_that_is_there_is_left_alone(models, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main(["embed", str(models["plain"]), str(out), "--no-page"]) == 3
    assert "[E_EXISTS]" in capsys.readouterr().err
    assert names(out) == {"mine.txt"}


def test_overwriting_replaces_its_own_files_and_no_others(models, tmp_path):
    out = tmp_path / "out"
    assert main(["embed", str(models["plain"]), str(out), "--no-page"]) == 0
    (out / "mine.txt").write_text("mine")
    assert main(["embed", str(models["gray"]), str(out), "--no-page", "--overwrite"]) == 0
    assert (out / "model.onnx").read_bytes() == models["gray"].read_bytes()
    assert (out / "mine.txt").read_text() == "mine"


def test_overwriting_removes_what_an_earlier_one_alone_had_and_nothing_else(models, runtime, tmp_path):
    out = tmp_path / "out"
    example = tmp_path / "example.png"
    lines_on_paper(example)
    words = ["embed", str(models["plain"]), str(out)]
    assert main([*words, "--onnxruntime-web", str(runtime), "--example", str(example)]) == 0
    first = names(out)
    (out / "serve.py").write_text("changed")  # no more what was written
    (out / "onnxruntime-web/mine.txt").write_text("mine")
    (tmp_path / "outside.txt").write_text("outside")
    listing = json.loads((out / "embedded.json").read_text())
    assert set(listing["files"]) == first - {"embedded.json"}
    listing["files"]["../outside.txt"] = [hashlib.sha256(b"outside").hexdigest()]
    (out / "embedded.json").write_text(json.dumps(listing))
    assert main([*words, "--no-page", "--overwrite"]) == 0
    assert "example-1.png" in first
    left = PAGE - {"serve.py"} | {"example-1.png"} | {f"onnxruntime-web/{n}" for n in FAKE}
    assert not names(out) & left
    assert names(out) >= PROGRAMS | {"serve.py", "onnxruntime-web/mine.txt"}
    assert (tmp_path / "outside.txt").read_text() == "outside"
    assert set(json.loads((out / "embedded.json").read_text())["files"]) < names(out)


def test_one_that_was_interrupted_is_cleared_by_the_next(models, runtime, tmp_path, monkeypatch):
    out = tmp_path / "out"
    words = ["embed", str(models["plain"]), str(out)]
    assert main([*words, "--no-page"]) == 0
    programs, write = names(out), files.publish_bytes

    def full_disk(path, data, *, overwrite):
        if path.name == "serve.py":
            raise I2IError("E_NOSPACE", "the disk is full", path=path)
        write(path, data, overwrite=overwrite)

    monkeypatch.setattr(files, "publish_bytes", full_disk)
    assert main([*words, "--onnxruntime-web", str(runtime), "--overwrite"]) == 4
    assert names(out) > programs
    monkeypatch.undo()
    assert main([*words, "--no-page", "--overwrite"]) == 0
    assert names(out) == programs


def test_a_list_that_is_damaged_removes_nothing(models, tmp_path):
    out = tmp_path / "out"
    assert main(["embed", str(models["plain"]), str(out), "--no-page"]) == 0
    before = names(out)
    for damage in ("", "[]", '{"files": [1]}', '{"files": {"README.md": 1}}'):
        (out / "embedded.json").write_text(damage)
        assert main(["embed", str(models["plain"]), str(out), "--no-page", "--overwrite"]) == 0
        assert names(out) == before


def as_folder(model, folder):
    """A model folder, as one under pretrained/."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.read_bytes())
    (folder / "README.md").write_text("Its own page.")
    return folder


@pytest.mark.parametrize("run", [False, True])
def test_nothing_is_written_into_a_models_own_folder(models, tmp_path, capsys, run):
    own = tmp_path / "own"
    as_folder(models["plain"], own / "model" if run else own)
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    link = tmp_path / "link"
    link.symlink_to(own)
    for output in (own, link):
        assert main(["embed", str(own), str(output), "--no-page", "--overwrite"]) == 3
        said = capsys.readouterr().err
        assert "[E_INOUT_OVERLAP]" in said
        assert "choose another folder" in said
    if not run:
        (tmp_path / "link.onnx").symlink_to(own / "model.onnx")
        assert main(["embed", str(tmp_path / "link.onnx"), str(own), "--no-page", "--overwrite"]) == 3
        assert "holds the model itself" in capsys.readouterr().err
    assert main(["embed", str(models["gray"]), str(own), "--no-page", "--overwrite"]) == 3  # nor into another's
    assert "is the folder of a model" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before


def test_a_folder_with_several_models_is_not_written_over_them(models, runtime, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--onnxruntime-web", str(runtime)]
    assert main(["embed", str(models["plain"]), str(models["gray"]), str(out), *words]) == 0
    again = ["embed", str(out / "models/2"), str(out / "models/1"), str(out), *words, "--overwrite"]
    assert main(again) == 3
    assert "holds the model itself" in capsys.readouterr().err
    assert main(["embed", str(out / "models/2"), str(out), "--no-page", "--overwrite"]) == 3  # it would be cleared away
    assert "holds the model itself" in capsys.readouterr().err
    assert (out / "models/1/model.onnx").read_bytes() == models["plain"].read_bytes()


def test_a_refusal_leaves_nothing_behind(models, tmp_path, capsys):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    words = [
        "embed",
        str(models["plain"]),
        str(tmp_path / "out"),
        "--no-page",
        "--example",
        str(tmp_path / "broken.png"),
    ]
    assert main(words) == 3
    assert "[E_UNIDENTIFIED]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "broken.png"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["MODEL", "MODEL", "out", "--no-page"], "E_COLLISION"),
        (["MODEL", "OTHER", "out", "--no-page"], "E_USAGE"),
        (["MODEL", "OTHER", "out", "--example", "x.png"], "E_USAGE"),
        (["MODEL", "out", "--no-page", "--onnxruntime-web", "x"], "E_USAGE"),
        (["nothing", "out", "--no-page"], "E_MODEL_NOT_FOUND"),
        (["MODEL", "out", "--onnxruntime-web", "x"], "E_UNREADABLE"),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(words, code, models, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"MODEL": str(models["plain"]), "OTHER": str(models["gray"])}
    assert main(["embed", *(given.get(word, word) for word in words)]) in (2, 3)
    assert f"[{code}]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_whose_examples_are_line_drawings_is_drawn_on(open_model, tmp_path):
    lines_on_paper(tmp_path / "lines.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(tmp_path / "noise.png")
    lines, noisy = tmp_path / "lines.png", tmp_path / "noise.png"
    assert open_model("plain", examples=[lines]).canvas
    assert not open_model("plain", examples=[lines, noisy]).canvas
    assert not open_model("plain").canvas
    assert open_model("plain", canvas=True).canvas
    assert not open_model("plain", examples=[lines], canvas=False).canvas


@pytest.mark.parametrize(
    "fields",
    [
        {
            "drawing": Drawing(font="Sans", file="Sans.otf"),
            "source": Pixels(colour="gray"),
            "target": Pixels(colour="gray"),
        },
        {"source": Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0)))},
    ],
    ids=["font", "labels"],
)
def test_characters_of_a_font_and_label_maps_are_drawn(fields, tmp_path):
    card = ImageCard(name="drawn", network=NetworkSpec(type="none"), method="none", **fields)
    model = embedded(ModelPath("onnx", write_model(tmp_path / "drawn.onnx", card)))
    assert model.canvas
    colours = {tuple(colour) for colour in model.reference.source.reshape(-1, card.source.channels).tolist()}
    assert colours <= set(card.source.palette) or card.drawing


def test_examples_and_licences_beside_a_model_are_found(tmp_path):
    folder = tmp_path / "pretrained" / "mine"
    data = "Fluent Emoji (Microsoft, MIT)"
    card = ImageCard(name="mine", network=NetworkSpec(type="none"), method="none", training_data=data)
    path = write_model(folder / "model.onnx", card)
    lines_on_paper(folder / "example-1.png")
    lines_on_paper(folder / "examples.png")
    (folder / "README.md").write_text("# mine\n\n![x](examples.png)\n\nColours\ndrawings.\n\nMore.\n")
    for name in ("MIT-Microsoft-fluent-emoji.txt", "Apache-2.0-noto-emoji.txt"):
        (tmp_path / "pretrained" / "licences").mkdir(exist_ok=True)
        (tmp_path / "pretrained" / "licences" / name).write_text("text")
    model = embedded(ModelPath("onnx", path))
    assert len(model.examples) == 1
    assert model.about == "Colours drawings."
    assert list(model.licences) == ["MIT-Microsoft-fluent-emoji.txt"]


def test_a_line_drawing_is_told_from_a_photo_and_an_empty_page():
    page = np.full((32, 32, 3), 255, np.uint8)
    assert not is_line_drawing(page)
    page[8:12] = 0
    assert is_line_drawing(page)
    page[8:12] = (200, 0, 0)
    assert not is_line_drawing(page)
    assert not is_line_drawing(np.full((32, 32, 1), 128, np.uint8))


def test_a_sketch_is_in_the_colours_and_the_size_of_the_card():
    card = ImageCard(
        name="x",
        source=Pixels(colour="gray"),
        sizing=Sizing(rule="resize", width=24, height=16),
        network=NetworkSpec(type="none"),
        method="none",
    )
    assert sketch(card).shape == (16, 24, 1)
    assert is_line_drawing(sketch(card))
    assert fitted(np.zeros((600, 300, 1), np.uint8), card).shape == (256, 128, 1)
    fixed = card.model_copy(update={"sizing": Sizing(rule="fixed", width=5, height=9)})
    assert fitted(np.zeros((600, 300, 1), np.uint8), fixed).shape == (9, 5, 1)


def test_noise_is_normal_and_a_function_of_the_seed():
    many = np.array(noise(20000, seed=3))
    assert abs(many.mean()) < 0.03  # four standard errors of 20,000 numbers
    assert abs(many.std() - 1) < 0.02
    assert noise(3, seed=3) == noise(20000, seed=3)[:3]
    assert noise(3, seed=4) != noise(3, seed=3)


@pytest.mark.parametrize("kind", ["faces", "factors", "styles", "mixed", "noise"])
def test_the_reference_says_in_names_what_it_says_in_numbers(kind, open_model):
    made = open_model(kind).reference
    condition = KINDS[kind]["condition"]
    if condition.kind == "domains":
        assert made.wanted["domain"] == condition.names[0]
        assert made.numbers == ([1.0, 0.0, 0.0] if condition.mixed else [0.0])
    elif kind == "factors":
        assert made.numbers == list(made.wanted["set"].values()) == [1.0, 0.0, 0.0]
    else:
        assert made.wanted == {"set": {"black_hair": 1.0}}
        assert made.numbers[:2] == [1.0, 0.0]  # red hair goes with it, a smile stays
        assert np.isnan(made.numbers[2])


def test_two_models_of_one_name_are_refused(open_model):
    with pytest.raises(I2IError, match="two models are named 'plain'"):
        kit([open_model("plain"), open_model("plain")], FAKE)
