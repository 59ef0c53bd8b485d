"""The page and the picture of the shipped model of fonts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from i2i.data.charsets import characters
from i2i.data.typeface import Typeface
from i2i.images.card import Condition, Drawing, ImageCard, NetworkSpec
from i2i.recipes.merging import merge, read
from i2i.recipes.presets import preset
from i2i.recipes.recipe import validate

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import shipped_brush
import train_pretrained
from legibility import Found


def test_the_page_has_a_row_for_each_font_and_the_means() -> None:
    card = ImageCard(
        name="brush",
        condition=Condition(kind="domains", names=("one", "two"), mixed=True),
        drawing=Drawing(font="Noto Sans CJK SC", file=shipped_brush.SOURCE),
        network=NetworkSpec(type="zi2zi"),
        method="zi2zi",
        step=7,
    )
    model = {"l1": 0.125, "ssim": 0.5, "ink_iou": 0.625, "accuracy": 0.75, "real_accuracy": 0.875}
    baselines = {"source": {"ink_iou": 0.25}, "mean": {"ink_iou": 0.1}}
    read_of = Found(2, {}, {}, real_top1=0.8, real_top5=1.0, top1=0.6, top5=1.0, worst="惨寞").to_dict()
    metrics = {
        **model,
        "baselines": baselines,
        "domains": {font: {"model": model, **baselines} for font in ("one", "two")},
        "legibility": {"one": read_of, "two": {**read_of, "relative": None}},
    }
    page = shipped_brush.page(card, metrics)
    assert "| two | 0.125 | 0.500 | 0.625 | 0.750 | 0.875 | 0.250 | 0.100 |" in page
    assert "| mean | 0.125 |" in page
    assert "| one | 0.80 | 0.60 | 0.75 | 惨寞 |" in page and "| two | 0.80 | 0.60 |  | 惨寞 |" in page
    assert 'i2i convert brush --text "永和九年岁在癸丑" --domain "one" strip.png' in page


def test_lines_stand_under_each_other_beside_their_names() -> None:
    black, grey = np.zeros((20, 60), np.uint8), np.full((20, 60), 128, np.uint8)
    sheet = shipped_brush.labelled({"A (source)": [black], "B": [grey, black]})[:, :, 0]
    left, top = shipped_brush.LABEL, shipped_brush.LINE
    right = left + 60 + shipped_brush.MARGIN
    assert (sheet[top : top + 20, left : left + 60] == 0).all()
    assert (sheet[top + 20 : top + 40, left : left + 60] == 128).all()
    assert (sheet[top : top + 20, right : right + 60] == 255).all()
    assert (sheet[top + 20 : top + 40, right : right + 60] == 0).all()
    assert sheet[top : top + 40, :left].min() < 100


def test_the_source_font_draws_every_character_of_the_recipe_and_of_the_text() -> None:
    recipe_values = read(shipped_brush.FOLDER / "recipe.yaml")
    recipe = validate(merge(preset("zi2zi"), {**recipe_values, "data": {**recipe_values["data"], "root": "fonts"}}))
    face = Typeface(shipped_brush.FOLDER / recipe.data.source, size=64, placing=recipe.data.placing)
    assert face.name == "Noto Sans CJK SC"
    wanted = characters(recipe.data.characters) + shipped_brush.TEXT + "\uff0c\u3002"  # comma and full stop
    assert [c for c in wanted if face.lacks(c)] == []


def test_a_font_is_put_beside_a_model_once(tmp_path: Path) -> None:
    font = tmp_path / "home/a.otf"
    font.parent.mkdir()
    font.write_bytes(b"font")
    train_pretrained.beside(font, tmp_path / "out")
    assert (tmp_path / "out/a.otf").read_bytes() == b"font"
    train_pretrained.beside(font, font.parent)
    assert font.read_bytes() == b"font"


def test_six_fonts_are_fetched_and_the_source_font_is_shipped() -> None:
    assert len(set(shipped_brush.FONTS)) == 6
    assert train_pretrained.MODELS["brush"].font == shipped_brush.SOURCE
