"""Characters drawn from font files: where the ink stands, what a font lacks, and every kind of file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTCollection, TTFont

from i2i.data import typeface
from i2i.data.typeface import Typeface
from i2i.errors import I2IError
from i2i.images.card import Placing
from tests.dataset.fonts import FONTS, square_font

WHOLE_EM = Placing(character_share=1.0)
EM_BOX = (0, -120, 1000, 880)


def ink(picture: np.ndarray) -> tuple[int, int, int, int]:
    """The box of dark pixels: left, top, right, bottom."""
    rows, columns = np.nonzero(picture < 128)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_the_em_box_is_in_the_middle_whatever_the_font_says_of_its_lines(tmp_path: Path) -> None:
    font = square_font(tmp_path / "f.ttf", {"A": EM_BOX, "B": (250, 130, 750, 630)})
    whole = Typeface(font, size=100, placing=WHOLE_EM).draw("A")
    assert (whole.shape, whole.dtype, whole.max()) == ((100, 100), np.uint8, 0)
    half = Typeface(font, size=100, placing=Placing(character_share=0.5))
    assert ink(half.draw("A")) == (25, 25, 75, 75)
    assert ink(half.draw("B")) == (37, 37, 63, 63) or ink(half.draw("B")) == (38, 38, 62, 62)


def test_paper_is_white_and_ink_is_black(tmp_path: Path) -> None:
    font = square_font(tmp_path / "f.ttf", {"A": (0, 380, 1000, 880)})
    drawn = Typeface(font, size=50, placing=WHOLE_EM).draw("A")
    assert (drawn[:25] == 0).all() and (drawn[25:] == 255).all()


def test_a_character_is_centred_by_its_advance_or_by_its_ink_and_moved_by_the_offset(tmp_path: Path) -> None:
    font = square_font(tmp_path / "f.ttf", {"A": (0, -120, 200, 80)}, advance=600)
    draw = {
        name: Typeface(font, size=100, placing=Placing(character_share=1.0, **how)).draw("A")
        for name, how in {
            "em": {},
            "ink": {"centring": "ink"},
            "moved": {"offset": (0.1, -0.2)},
            "both": {"centring": "ink", "offset": (0.1, -0.2)},
        }.items()
    }
    # The advance of 60 px in the middle begins at 20; the em box ends at the bottom.
    assert {name: ink(drawn) for name, drawn in draw.items()} == {
        "em": (20, 80, 40, 100),
        "ink": (40, 40, 60, 60),
        "moved": (30, 60, 50, 80),
        "both": (50, 20, 70, 40),
    }


def test_what_a_font_does_not_really_have_is_told_apart_from_what_it_has(tmp_path: Path) -> None:
    lying = {"A": (0, 0, 500, 500), "B": None, "C": (100, 0, 900, 700)}  # C is drawn as .notdef is
    face = Typeface(square_font(tmp_path / "f.ttf", lying), size=50, placing=WHOLE_EM)
    assert {c: face.lacks(c) for c in "ABCD"} == {"A": None, "B": "blank", "C": "absent", "D": "absent"}


def test_ink_beyond_the_picture_is_told(tmp_path: Path) -> None:
    font = square_font(tmp_path / "f.ttf", {"A": EM_BOX, "B": (0, -400, 500, 500)})
    face = Typeface(font, size=100, placing=WHOLE_EM)
    assert (face.fits("A"), face.fits("B")) == (True, False)
    assert Typeface(font, size=100, placing=Placing(character_share=0.4)).fits("B")


def test_a_font_is_named_as_designers_know_it() -> None:
    names = {path.name: Typeface(path, size=8, placing=WHOLE_EM).name for path in FONTS.glob("*.?tf")}
    assert names == {
        "NotoSansSC.otf": "Noto Sans CJK SC",
        "MaShanZheng.ttf": "Ma Shan Zheng",
        "ZCOOLXiaoWei.ttf": "ZCOOL XiaoWei",
    }


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One font as TTF and WOFF2, and two in a collection."""
    folder = tmp_path_factory.mktemp("kinds")
    fonts = [TTFont(FONTS / name) for name in ("ZCOOLXiaoWei.ttf", "MaShanZheng.ttf")]
    collection = TTCollection()
    collection.fonts = fonts
    collection.save(folder / "both.ttc")
    packed = TTFont(FONTS / "MaShanZheng.ttf")
    packed.flavor = "woff2"
    packed.save(folder / "packed.woff2")
    return folder


@pytest.mark.parametrize("name", ["both.ttc#1", "packed.woff2"])
def test_a_font_draws_the_same_from_every_kind_of_file(kinds: Path, name: str) -> None:
    plain = Typeface(FONTS / "MaShanZheng.ttf", size=64, placing=WHOLE_EM)
    other = Typeface(kinds / name, size=64, placing=WHOLE_EM)
    assert other.name == "Ma Shan Zheng"
    for character in "惨寞端榆":
        assert np.array_equal(other.draw(character), plain.draw(character))


def test_woff2_is_unpacked_by_fonttools_where_pillow_cannot(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = typeface._font

    def without_brotli(data: bytes, pixels: float, index: int):
        if data[:4] == b"wOF2":
            raise OSError("unimplemented feature")
        return plain(data, pixels, index)

    monkeypatch.setattr(typeface, "_font", without_brotli)
    drawn = Typeface(kinds / "packed.woff2", size=61, placing=WHOLE_EM).draw("惨")
    monkeypatch.undo()
    assert np.array_equal(drawn, Typeface(FONTS / "MaShanZheng.ttf", size=61, placing=WHOLE_EM).draw("惨"))


def test_a_font_is_opened_once_and_again_when_its_file_has_changed(tmp_path: Path) -> None:
    path = square_font(tmp_path / "f.ttf", {"A": EM_BOX})
    first = Typeface(path, size=10, placing=WHOLE_EM)
    assert Typeface(path, size=10, placing=WHOLE_EM)._font is first._font
    square_font(path, {"A": EM_BOX, "B": EM_BOX})
    assert Typeface(path, size=10, placing=WHOLE_EM).lacks("B") is None


def test_what_was_found_out_about_a_font_is_shared_until_its_file_changes(tmp_path: Path) -> None:
    path = square_font(tmp_path / "f.ttf", {"A": EM_BOX})
    first = typeface.typeface(path, size=10, placing=WHOLE_EM)
    assert typeface.typeface(path, size=10, placing=Placing(character_share=1.0)) is first
    assert typeface.typeface(path, size=12, placing=WHOLE_EM) is not first
    square_font(path, {"A": EM_BOX, "B": EM_BOX})
    assert typeface.typeface(path, size=10, placing=WHOLE_EM).lacks("B") is None


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nothing.ttf", "E_UNREADABLE", "the font cannot be read"),
        ("letter.ttf", "E_UNIDENTIFIED", "is not a font that can be opened; TTF, OTF, TTC and WOFF2 can be"),
        ("both.ttc#7", "E_UNIDENTIFIED", "has no font number 7"),
        ("broken.woff2", "E_UNIDENTIFIED", "is not a font that can be opened"),
    ],
)
def test_what_is_no_font_is_refused(kinds: Path, name: str, code: str, said: str) -> None:
    (kinds / "letter.ttf").write_text("dear")
    (kinds / "broken.woff2").write_bytes((kinds / "packed.woff2").read_bytes()[:200])
    with pytest.raises(I2IError) as caught:
        Typeface(kinds / name, size=10, placing=WHOLE_EM)
    assert caught.value.code == code
    assert said in str(caught.value)
