"""The tools that make a font file with a model and teach a model one more font, from the command line on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from i2i.data.typeface import Typeface
from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing
from i2i.networks.zi2zi import Zi2ZiGenerator
from i2i.weights.store import load_model, save_model
from tests.cli.test_convert_text import DRAWING, FONTS, GRAY, SIDE, model

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import add_font
import make_font

__all__ = ["model"]

FONT = FONTS / "NotoSansSC.otf"


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
        "壕侣亲惨寞端榆滔啃熊",
        "--test-characters",
        "3",
    ]
    assert add_font.main([*words, "--count", "5", "--steps", "4"]) == 0
    said = capsys.readouterr().out
    assert "Ma Shan Zheng: learning from 5 glyphs" in said
    figures = {line.split(" L1 ")[0].strip(): float(line.split()[-1]) for line in said.splitlines() if " L1 " in line}
    faces = [Typeface(path, size=SIDE, placing=DRAWING) for path in (FONT, FONTS / "MaShanZheng.ttf")]
    held = [c for c in "壕侣亲惨寞端榆滔啃熊" if c in _held("壕侣亲惨寞端榆滔啃熊", 3)]
    expected = np.mean([np.abs(faces[0].draw(c).astype(float) - faces[1].draw(c)).mean() / 255 for c in held])
    assert figures["source glyphs"] == pytest.approx(expected, abs=1e-4)
    generator, told = load_model(tmp_path / "new")
    assert told.condition is not None and told.condition.names == ("one", "two", "Ma Shan Zheng")
    old, _ = load_model(tmp_path / "old")
    assert torch.equal(generator.embedding.rows[:2], old.embedding.rows)
    assert add_font.main([*words, "--name", "one", "--overwrite"]) == 2
    assert add_font.main(words) == 3  # the folder is taken
    few = [*words[:-4], "--characters", "惨龘", "--test-characters", "1"]
    assert add_font.main([*few, "--overwrite"]) == 3


def _held(text: str, count: int) -> str:
    from i2i.data.charsets import split

    return split(text, test=count, val=0)["test"]
