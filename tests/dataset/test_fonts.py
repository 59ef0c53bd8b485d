"""Fonts as a data set: which glyphs there are, what the scan says, what a sample is, and how fonts are balanced."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fontTools.ttLib import TTCollection, TTFont

from i2i.data.augment import Augmentation
from i2i.data.batches import loader
from i2i.data.fonts_source import FontsSource
from i2i.data.glyphs import Jitter
from i2i.data.sampler import Draw
from i2i.errors import I2IError
from i2i.images.card import Placing
from tests.dataset.fonts import FONTS, square_font

TEN = "壕侣亲惨寞端榆滔啃熊"
STILL = Jitter(zoom=1.0)


def source(root: Path = FONTS, *, size: int = 16, **options: Any) -> FontsSource:
    given = {"source": "NotoSansSC.otf", "characters": TEN, "test_characters": 3, "jitter": STILL, **options}
    return FontsSource(root=root, augmentation=Augmentation(size=size, mode="resize", flips=()), **given)


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A source with A to F, a font that lies about D and E, and one with two of them."""
    box = (100, 0, 600, 600)
    square_font(tmp_path / "source.ttf", dict.fromkeys("ABCDEF", box), family="Source")
    lying = {**dict.fromkeys("ABCDF", box), "D": None, "E": (100, 0, 900, 700)}
    square_font(tmp_path / "lying.ttf", lying, family="Lying")
    square_font(tmp_path / "few.ttf", dict.fromkeys("AB", box), family="Few")
    return tmp_path


def test_the_domains_are_the_fonts_in_the_folder_but_the_source_or_those_named() -> None:
    assert source().condition.names == ("Ma Shan Zheng", "ZCOOL XiaoWei")
    assert source(targets=["ZCOOLXiaoWei.ttf", "MaShanZheng.ttf"]).condition.names == ("ZCOOL XiaoWei", "Ma Shan Zheng")
    assert source(source="MaShanZheng.ttf").condition.names == ("Noto Sans CJK SC", "ZCOOL XiaoWei")


def test_the_other_fonts_of_the_collection_that_holds_the_source_are_learnt_only_if_they_are_named(
    squares: Path,
) -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(squares / name) for name in ("few.ttf", "source.ttf")]
    collection.save(squares / "both.ttc")
    (squares / "source.ttf").unlink()
    chosen = {"source": "both.ttc#1", "characters": "ABC", "test_characters": 1}
    assert source(squares, **chosen).names == ["Few", "Lying"]
    (squares / "few.ttf").unlink()
    assert source(squares, **chosen).names == ["Lying"]
    assert source(squares, targets=["both.ttc", "lying.ttf"], **chosen).names == ["Few", "Lying"]


def test_the_folder_may_be_named_from_where_one_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FONTS.parent)
    assert source(Path(FONTS.name)).names == ["Ma Shan Zheng", "ZCOOL XiaoWei"]


def test_two_fonts_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    for name in ("a", "b", "source"):
        square_font(tmp_path / f"{name}.ttf", {"A": (0, 0, 500, 500)}, family="Same")
    assert source(tmp_path, source="source.ttf").names == ["Same (a)", "Same (b)"]
    with pytest.raises(I2IError, match=r"data.targets: the font Same \(a\) is there twice"):
        _ = source(tmp_path, source="source.ttf", targets=["a.ttf", "a.ttf"]).names


def test_the_split_holds_the_same_characters_out_of_every_font() -> None:
    glyphs = source(val_characters=2).glyphs()
    assert {name: len(part) for name, part in glyphs.items()} == {"train": 10, "val": 4, "test": 6}
    for part in glyphs.values():
        by_font = [{g.character for g in part if g.number == number} for number in (0, 1)]
        assert by_font[0] == by_font[1]
    held = {g.character for name in ("val", "test") for g in glyphs[name]}
    assert not held & {g.character for g in glyphs["train"]}


def test_few_glyphs_can_be_learnt_from_without_changing_what_is_held_out() -> None:
    few, all_of_them = source(train_characters=2).glyphs(), source().glyphs()
    assert few["test"] == all_of_them["test"]
    assert len(few["train"]) == 4
    assert set(few["train"]) < set(all_of_them["train"])


def test_what_a_font_does_not_really_have_is_left_out_and_told(squares: Path) -> None:
    data = source(squares, source="source.ttf", characters="ABCDEFG", test_characters=0)
    scan = data.scan()
    scan.raise_if_bad()
    listed = {name: "".join(g.character for g in scan.samples["train"] if g.font == name) for name in data.names}
    assert listed == {"Few": "AB", "Lying": "ABCF"}
    assert scan.warnings == (
        "source Source: 1 of 7 characters left out: 1 absent (G)",
        "Few: 5 of 7 characters left out: 5 absent (CDEFG)",
        "Lying: 3 of 7 characters left out: 2 absent (EG), 1 blank (D)",
    )


def test_characters_whose_ink_is_cut_off_are_told(squares: Path) -> None:
    data = source(squares, source="source.ttf", characters="AB", test_characters=0, placing=Placing(offset=(0.5, 0)))
    remedy = "a smaller data.placing.character_share leaves more room"
    assert data.scan().warnings[0] == f"source Source: of 2 characters ink reaches beyond the picture (AB); {remedy}"


def test_a_font_without_any_of_the_characters_forbids_the_start(squares: Path) -> None:
    data = source(squares, source="source.ttf", characters="CF", test_characters=0)
    with pytest.raises(I2IError, match="Few has none of the characters to learn"):
        data.scan().raise_if_bad()


def test_the_scan_notices_another_font_and_other_characters(squares: Path) -> None:
    def digests(**options: Any) -> dict[str, str]:
        return source(squares, source="source.ttf", test_characters=1, **options).scan().digests

    before = digests(characters="ABCF")
    assert digests(characters="ABCF") == before
    assert digests(characters="ABC") != before
    square_font(squares / "few.ttf", dict.fromkeys("AB", (0, 0, 700, 700)), family="Few")
    assert digests(characters="ABCF") != before


def test_a_sample_is_one_character_in_both_fonts_and_keeps_its_code_point_and_font() -> None:
    data = source(size=32)
    folder = data.training_set(value_range=(-1.0, 1.0), seed=0)
    for index in range(len(folder)):
        draw = Draw(index, index)
        glyph = folder.sample(draw)
        of_source, of_target, number = folder[draw]
        assert glyph.name == f"{data.names[int(number)]}/U+{ord(glyph.character):04X}"
        assert np.array_equal(of_source[:, :, 0], data.source_typeface.draw(glyph.character))
        assert np.array_equal(of_target[:, :, 0], data.typefaces[int(number)].draw(glyph.character))


def test_every_font_comes_as_often_as_the_largest_and_every_glyph_comes(squares: Path) -> None:
    data = source(squares, source="source.ttf", characters="ABCF", test_characters=0)
    folder = data.training_set(value_range=(-1.0, 1.0), seed=0)
    seen = Counter(folder.sample(Draw(index, 0)).name for index in range(len(folder)))
    assert seen == {
        **{f"Lying/U+{ord(c):04X}": 1 for c in "ABCF"},
        **{f"Few/U+{ord(c):04X}": 2 for c in "AB"},
    }


def test_a_batch_is_scaled_and_a_function_of_the_seed(tmp_path: Path) -> None:
    def batch(seed: int) -> Any:
        folder = source(jitter=Jitter(shear=10.0, weight=0.5)).training_set(value_range=(-1.0, 1.0), seed=seed)
        with loader(folder, batch_size=14, seed=seed, start_step=0, stop_step=1) as batches:
            return next(iter(batches))

    one = batch(0)
    assert one.source.shape == one.target.shape == (14, 1, 16, 16)
    assert one.condition.dtype == torch.int64
    assert sorted(one.condition.tolist()) == [0] * 7 + [1] * 7
    assert float(one.target.max()) == 1.0 and float(one.target.min()) < 0
    assert all(torch.equal(a, b) for a, b in zip(one, batch(0), strict=True))
    assert not torch.equal(one.source, batch(1).source)


def test_zooming_enlarges_both_glyphs_about_one_place() -> None:
    jitter = Jitter(zoom=2.0)
    dot = np.full((32, 32, 1), 255, np.uint8)
    dot[8:24, 8:24] = 0
    for seed in range(20):
        one, two = jitter(dot, dot, np.random.default_rng(seed))
        assert np.array_equal(one, two)
        # A square of 16 becomes one of up to 32, of which a part may be cut off; never less ink than before.
        assert (one < 128).sum() >= 0.9 * 256


def test_without_jitter_a_glyph_is_what_was_drawn() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 1)).astype(np.uint8)
    one, two = STILL(picture, 255 - picture, np.random.default_rng(0))
    assert np.array_equal(one, picture) and np.array_equal(two, 255 - picture)


def test_shear_leans_both_and_weight_changes_the_source_alone() -> None:
    bar = np.full((33, 33, 1), 255, np.uint8)
    bar[4:29, 15:18] = 0
    leans = [Jitter(zoom=1.0, shear=30.0)(bar, bar, np.random.default_rng(seed)) for seed in range(8)]
    for one, two in leans:
        assert np.array_equal(one, two)
    tops = [np.nonzero(one[5, :, 0] < 128)[0].mean() - np.nonzero(one[27, :, 0] < 128)[0].mean() for one, _ in leans]
    assert min(tops) < 0 < max(tops)  # to either side
    assert max(map(abs, tops)) <= 22 * np.tan(np.radians(30)) + 1
    weights = [Jitter(zoom=1.0, weight=1.0)(bar, bar, np.random.default_rng(seed)) for seed in range(8)]
    assert all(np.array_equal(two, bar) for _, two in weights)
    inks = [float((255 - one.astype(int)).sum() / 255) for one, _ in weights]
    assert min(inks) < 25 * 3 < max(inks)
    assert min(inks) >= 23 and max(inks) <= 27 * 5  # one pixel on each side at most


def test_what_is_looked_at_are_the_held_out_characters_the_fonts_in_turn() -> None:
    data = source()
    looked = data.monitored(data.scan(), count=4)
    assert [number for *_, number in looked] == [0, 1, 0, 1]
    held = data.glyphs()["test"]
    for of_source, of_target, number in looked:
        assert any(
            np.array_equal(of_source[:, :, 0], data.source_typeface.draw(g.character))
            and np.array_equal(of_target[:, :, 0], data.typefaces[number].draw(g.character))
            for g in held
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": ""}, "which font is the source\\? --data.source FILE; there are: MaShanZheng.ttf, NotoSansSC.otf"),
        ({"source": "NotoSanSC.otf"}, "unknown font 'NotoSanSC.otf'; did you mean 'NotoSansSC.otf'\\?"),
        ({"test_characters": 10}, "lower data.test_characters"),
        ({"targets": ["ZCOOL.ttf"]}, "unknown font 'ZCOOL.ttf'"),
    ],
)
def test_wrong_choices_are_refused_with_the_remedy(options: dict[str, Any], said: str) -> None:
    with pytest.raises(I2IError, match=said):
        source(**options).scan()


@pytest.mark.parametrize(
    ("augmentation", "said"),
    [
        (Augmentation(size=16, mode="resize", flips=("horizontal",)), "writing has a direction"),
        (Augmentation(size=(16, 32), mode="resize", flips=()), "glyphs are drawn on squares"),
        (Augmentation(size=16, mode="resize", flips=(), turn=5), "varied as they are drawn, by data.jitter"),
        (Augmentation(size=16, mode="resize", flips=(), zoom=0.1), "varied as they are drawn, by data.jitter"),
    ],
)
def test_what_glyphs_do_not_bear_is_refused(augmentation: Augmentation, said: str) -> None:
    with pytest.raises(I2IError, match=said):
        FontsSource(root=FONTS, source="NotoSansSC.otf", augmentation=augmentation)


@pytest.mark.parametrize("options", [{"zoom": 0.5}, {"shear": 60.0}, {"weight": 2.0}])
def test_a_jitter_that_makes_no_sense_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lies in"):
        Jitter(**options)
