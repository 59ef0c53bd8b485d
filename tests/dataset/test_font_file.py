"""Outlines traced from pictures, and font files that draw what the pictures show."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from i2i.data.font_file import Metrics, font_file
from i2i.data.outlines import traced
from i2i.data.typeface import Typeface
from i2i.errors import I2IError
from i2i.images.card import Placing
from tests.dataset.fonts import FONTS, square_font

CHARACTERS = "壕侣亲惨寞端榆滔啃熊涌脉水揩湛研混疫删兆谓曼均蝗随蛛歼窟姑集"


def area(contour: np.ndarray) -> float:
    """Signed: positive where the polygon turns clockwise as seen, with y down."""
    x, y = contour.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_a_square_with_a_hole_has_two_outlines_that_turn_against_each_other() -> None:
    picture = np.full((40, 40), 255, np.uint8)
    picture[5:35, 10:30] = 0
    picture[15:25, 15:25] = 255
    outer, hole = sorted((area(contour) for contour in traced(picture)), reverse=True)
    # Edges lie between pixels; tracing on eighths of a pixel and the smooth enlargement round the corners a little.
    assert outer == pytest.approx(30 * 20, rel=0.03)
    assert hole == pytest.approx(-10 * 10, rel=0.06)
    box = np.concatenate(traced(picture))
    assert np.abs(box.min(0) - (10, 5)).max() < 0.15 and np.abs(box.max(0) - (30, 35)).max() < 0.15


def test_grey_edges_place_the_outline_between_pixels() -> None:
    picture = np.full((20, 20), 255, np.uint8)
    picture[5:15, 5:15] = 0
    picture[5:15, 15] = 128 - 32  # the pixel is 0.62 ink
    right = np.concatenate(traced(picture))[:, 0].max()
    assert 15.4 < right < 15.9


def test_specks_and_blank_pictures_have_no_outline() -> None:
    picture = np.full((20, 20), 255, np.uint8)
    assert traced(picture) == []
    picture[3, 3] = 0
    assert traced(picture) == []


def test_ink_at_the_border_is_closed() -> None:
    picture = np.zeros((16, 16), np.uint8)
    (contour,) = traced(picture)
    assert area(contour) == pytest.approx(16 * 16, rel=0.05)


@pytest.mark.parametrize(
    ("side", "placing"),
    [(64, Placing()), (96, Placing(character_share=0.6, offset=(0.05, -0.1)))],
    ids=["64", "moved"],
)
def test_a_font_file_draws_what_the_pictures_show(tmp_path: Path, side: int, placing: Placing) -> None:
    face = Typeface(FONTS / "MaShanZheng.ttf", size=side, placing=placing)
    pictures = {c: face.draw(c) for c in CHARACTERS}
    metrics = Metrics.of(FONTS / "MaShanZheng.ttf", CHARACTERS)
    path = tmp_path / "made.ttf"
    path.write_bytes(font_file(pictures, family="Made by a test", metrics=metrics, placing=placing))
    made = Typeface(path, size=side, placing=placing)
    assert made.name == "Made by a test"
    ious = []
    for character, picture in pictures.items():
        assert made.lacks(character) is None
        drawn, asked = made.draw(character) < 128, picture < 128
        ious.append((drawn & asked).sum() / (drawn | asked).sum())
    assert min(ious) >= 0.9
    assert np.mean(ious) >= 0.95


def test_a_font_file_opens_in_fonttools_and_covers_the_characters_with_the_metrics_of_the_source() -> None:
    pictures = {c: Typeface(FONTS / "MaShanZheng.ttf", size=32, placing=Placing()).draw(c) for c in "惨寞"}
    metrics = Metrics.of(FONTS / "NotoSansSC.otf", "惨寞")
    data = font_file(pictures, family="Made", metrics=metrics, placing=Placing())
    made, source = TTFont(io.BytesIO(data)), TTFont(FONTS / "NotoSansSC.otf")
    assert set(made.getBestCmap()) == {ord(" "), ord("惨"), ord("寞")}
    assert made["head"].unitsPerEm == source["head"].unitsPerEm == 1000
    assert (made["hhea"].ascent, made["hhea"].descent) == (source["hhea"].ascent, source["hhea"].descent)
    assert made["hmtx"]["uni60E8"][0] == source["hmtx"][source.getBestCmap()[ord("惨")]][0] == 1000
    assert data == font_file(pictures, family="Made", metrics=metrics, placing=Placing())


def test_a_line_of_text_stands_where_the_source_font_puts_it(tmp_path: Path) -> None:
    box = {"A": (100, 0, 600, 600), "B": (0, -100, 400, 300)}
    source = square_font(tmp_path / "source.ttf", box, advance=700)
    face = Typeface(source, size=100, placing=Placing())
    metrics = Metrics.of(source, "AB")
    data = font_file({c: face.draw(c) for c in "AB"}, family="Made", metrics=metrics, placing=Placing())
    sheets = []
    for font in (source, io.BytesIO(data)):
        sheet = Image.new("L", (300, 120), 255)
        ImageDraw.Draw(sheet).text((10, 90), "ABA", font=ImageFont.truetype(font, 100), fill=0, anchor="ls")
        sheets.append(np.asarray(sheet) < 128)
    assert (sheets[0] & sheets[1]).sum() / (sheets[0] | sheets[1]).sum() > 0.95


def test_no_characters_and_a_file_that_is_no_font_are_refused(tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="at least one character"):
        font_file({}, family="None", metrics=Metrics.of(FONTS / "NotoSansSC.otf", ""), placing=Placing())
    (tmp_path / "no.ttf").write_text("dear")
    with pytest.raises(I2IError, match="is not a font that can be opened"):
        Metrics.of(tmp_path / "no.ttf", "惨")
