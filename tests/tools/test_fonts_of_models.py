"""The tools that make a font file with a model and teach a model one more font, from the command line on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from i2i.data.typeface import Typeface
from i2i.errors import I2IError
from i2i.images.card import METADATA_KEY, Condition, ImageCard, NetworkSpec, Sizing
from i2i.networks.zi2zi import Zi2ZiGenerator
from i2i.weights.store import load_model, save_model
from tests.cli.test_convert_text import DRAWING, FONTS, GRAY, SIDE, model

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import add_font
import command
import cut_font
import make_font
import style_path

__all__ = ["model"]

FONT = FONTS / "NotoSansSC.otf"
TEXT = "壕侣亲惨寞端榆滔啃熊"


def test_a_font_made_with_a_model_draws_what_the_model_writes(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made.ttf"
    assert make_font.main([str(model), str(out), "--domain", "same", "--font", str(FONT), "--charset", "惨寞龘"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("same by two: 2 characters") and "1 that the source font lacks are left out" in said
    made, source = (Typeface(path, size=SIDE, placing=DRAWING) for path in (out, FONT))
    for character in "惨寞":
        drawn, asked = made.draw(character) < 128, source.draw(character) < 128
        assert (drawn & asked).sum() / (drawn | asked).sum() > 0.8  # at 24 px strokes are 2 px wide
    words = [str(model), str(out), "--domain", "same", "--font", str(FONT), "--charset", "惨寞", "--overwrite"]
    assert make_font.main([*words, "--check"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(
        "fontTools and Pillow open it; all 2 characters are there; overlap of ink with the pictures at"
    )
    assert 0.8 < float(said.rpartition("least ")[2].split()[0]) <= 1
    assert make_font.main([str(model), str(out), "--mix", "same=1", "--font", str(FONT), "--charset", "惨"]) == 3
    assert make_font.main([str(model), str(out), "--mix", "same", "--font", str(FONT), "--overwrite"]) == 2


def test_a_model_is_taught_one_more_font(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    arguments = {"condition_channels": 2, "channels": 4, "depth": 3}
    card = ImageCard(
        name="tiny",
        source=GRAY,
        target=GRAY,
        sizing=Sizing(rule="resize", multiple=8, minimum=8, width=SIDE, height=SIDE),
        condition=Condition(kind="domains", names=("one", "two"), mixed=True),
        drawing=DRAWING,
        network=NetworkSpec(type="zi2zi", arguments=arguments),
        method="zi2zi",
    )
    save_model(tmp_path / "old", Zi2ZiGenerator(**arguments), card)
    words = [str(tmp_path / "old"), str(tmp_path / "new"), "--source", str(FONT)]
    words += [
        "--font",
        str(FONTS / "MaShanZheng.ttf"),
        "--characters",
        TEXT,
        "--test-characters",
        "3",
    ]
    assert add_font.main([*words, "--count", "5", "--steps", "4"]) == 0
    said = capsys.readouterr().out
    assert "Ma Shan Zheng: learning from 5 glyphs" in said
    assert "the 2 old fonts: equal to the bit (3 glyphs of each)" in said
    figures = rows(said)
    assert list(figures) == ["source glyph", "mean glyph", "before", "row"]
    faces = [Typeface(path, size=SIDE, placing=DRAWING) for path in (FONT, FONTS / "MaShanZheng.ttf")]
    held = [c for c in TEXT if c in _held(TEXT, 3)]
    expected = np.mean([np.abs(faces[0].draw(c).astype(float) - faces[1].draw(c)).mean() / 255 for c in held])
    assert figures["source glyph"][0] == pytest.approx(expected, abs=1e-3)
    generator, told = load_model(tmp_path / "new")
    assert told.condition is not None and told.condition.names == ("one", "two", "Ma Shan Zheng")
    old, _ = load_model(tmp_path / "old")
    assert torch.equal(generator.embedding.rows[:2], old.embedding.rows)
    capsys.readouterr()
    assert add_font.main([*words, "--learn", "decoder", "--steps", "2", "--overwrite"]) == 0
    said = capsys.readouterr().out
    assert "the 2 old fonts: L1 to what they were 0." in said and "row + decoder" in rows(said)
    assert add_font.main([*words, "--name", "one", "--overwrite"]) == 2
    assert add_font.main(words) == 3  # the folder is taken
    few = [*words[:-4], "--characters", "惨龘", "--test-characters", "1"]
    assert add_font.main([*few, "--overwrite"]) == 3


def test_what_a_font_file_does_not_give_back_is_told(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.ttf"
    assert make_font.main([str(model), str(out), "--domain", "same", "--font", str(FONT), "--charset", "惨"]) == 0
    face = Typeface(out, size=SIDE, placing=DRAWING)
    blank = np.full((SIDE, SIDE), 255, np.uint8)
    assert "0.000, least 0.000" in make_font.checked(out, {"惨": blank}, face)
    with pytest.raises(I2IError, match="the font lacks 寞"):
        make_font.checked(out, {"惨": blank, "寞": blank}, face)
    assert make_font.overlap(blank, blank) == 1


def test_a_cut_font_draws_its_characters_as_the_whole_one_and_has_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cut.otf", "cut.woff2"):
        out = tmp_path / name
        assert cut_font.main([str(FONT), str(out), "--charset", "惨寞", "端"]) == 0
        assert capsys.readouterr().out.startswith("3 characters, 0.0 MB, drawn as before")
        assert cut_font.differing(FONT, out, "惨寞端") == ""
        assert cut_font.differing(FONT, out, "惨寞端熊") == "熊"
        assert Typeface(out, size=SIDE, placing=DRAWING).name == Typeface(FONT, size=SIDE, placing=DRAWING).name
        assert cut_font.main([str(FONT), str(out), "--charset", "惨"]) == 3  # it is there
    assert (tmp_path / "cut.woff2").read_bytes()[:4] == b"wOF2"
    assert cut_font.cut(str(FONT), "惨") == cut_font.cut(str(FONT), "惨")


def test_the_way_between_two_fonts_is_judged_step_by_step(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"same": "Ma Shan Zheng", "negative": "ZCOOL XiaoWei"}
    named = renamed(model / "model.onnx", names, to=tmp_path / "named.onnx")
    words = [str(named), "--data", str(FONTS), "--source", "NotoSansSC.otf", "--characters", TEXT]
    words += ["--test-characters", "3", "--steps", "4", "--judge-steps", "5"]
    words += ["--json", str(tmp_path / "ways.json"), "--sheet", str(tmp_path / "ways.png")]
    assert style_path.main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("Ma Shan Zheng -> ZCOOL XiaoWei: 0.") and " of 1 ways only rise" in said
    (path,) = json.loads((tmp_path / "ways.json").read_text()).values()
    assert len(path) == 4
    assert Image.open(tmp_path / "ways.png").width > 4 * SIDE
    assert style_path.main([*words, "--pairs", "Ma Shan Zheng,ZCOOL XiaoWei"]) == 0
    assert style_path.main([*words, "--pairs", "Ma Shan Zheng"]) == 2
    assert style_path.main([*words, "--pairs", "Ma Shan Zheng,Ma Shan"]) == 2
    assert style_path.main([*words, "--steps", "1"]) == 2


def test_a_fall_on_the_way_is_told() -> None:
    assert style_path.fall([0.1, 0.4, 0.4, 0.9]) == 0
    assert style_path.fall([0.1, 0.5, 0.3, 0.9]) == pytest.approx(0.2)
    assert style_path.said([0.1, 0.9]) == "rises at every step"
    assert style_path.said([0.9, 0.4]) == "falls by up to 0.500"


def test_a_table_leaves_empty_what_a_row_does_not_have() -> None:
    table = command.markdown({"one": {"l1": 0.5, "ssim": 1}, "two": {"ssim": 0.25}}, ("l1", "ssim"))
    assert table.splitlines() == ["| | l1 | ssim |", "|---|---|---|", "| one | 0.500 | 1.000 |", "| two |  | 0.250 |"]


def rows(said: str) -> dict[str, list[float]]:
    """The numbers of a Markdown table by the names of its rows."""
    lines = [line.strip("| ").split(" | ") for line in said.splitlines() if line.startswith("| ")]
    return {name: [float(value) for value in values] for name, *values in lines[1:]}


def renamed(model: Path, names: dict[str, str], *, to: Path) -> Path:
    """The model with other names of its fonts."""
    made = onnx.load(model)
    (entry,) = (entry for entry in made.metadata_props if entry.key == METADATA_KEY)
    for old, new in names.items():
        entry.value = entry.value.replace(f'"{old}"', f'"{new}"')
    onnx.save(made, to)
    return to


def _held(text: str, count: int) -> str:
    from i2i.data.charsets import split

    return split(text, test=count, val=0)["test"]
