"""The emoji set: which code points belong together, which drawings agree; drawn in full where npm can be reached."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def emoji():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import emoji
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return emoji


def drawing(*, hole: int = 0, size: int = 20) -> Image.Image:
    picture = Image.new("RGBA", (32, 32))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((4, 4, 4 + size - 1, 4 + size - 1), fill="black")
    if hole:
        draw.rectangle((6, 6, 6 + hole - 1, 6 + hole - 1), fill=(0, 0, 0, 0))
    return picture


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1f469-200d-1f33e", "1f9d1-1f33e"),  # woman, man and person who farm
        ("1f468-1f3fd-200d-1f33e", "1f9d1-1f33e"),
        ("1f9d1-200d-1f33e", "1f9d1-1f33e"),
        ("1f3c3-200d-2640-200d-27a1", "1f3c3"),  # a woman running to the right
        ("1f468-200d-1f9b0", "1f9d1"),
        ("2640", "2640"),  # the sign by itself
        ("27a1", "27a1"),
        ("1f34b", "1f34b"),
    ],
)
def test_variants_in_tone_hair_gender_age_and_side_have_one_base(emoji, code, expected):
    assert emoji.base(code) == expected


def test_all_variants_are_dealt_to_one_hand_and_hands_get_bases_alike(emoji):
    bases = [f"{0x1F300 + number:x}" for number in range(40)]
    variants = ["1f469-200d-1f33e", "1f468-200d-1f33e", "1f9d1-200d-1f33e"]
    hands = emoji.dealt([*bases, *variants], seed=0, hands=20)
    assert len({hands[code] for code in variants}) == 1
    assert sorted(np.bincount([hands[base] for base in [*bases, variants[0]]])) == [2] * 19 + [3]
    assert hands == emoji.dealt([*variants, *reversed(bases)], seed=0, hands=20)
    assert hands != emoji.dealt([*bases, *variants], seed=1, hands=20)


@pytest.mark.parametrize(("place", "side"), [((4, 4), 8), ((0, 20), 30), ((20, 0), 12)])
def test_centred_drawings_have_one_size_and_one_margin_wherever_they_were(emoji, place, side):
    picture = Image.new("RGBA", (64, 64))
    (left, top), (width, height) = place, (side, side // 2)
    ImageDraw.Draw(picture).rectangle((left, top, left + width - 1, top + height - 1), fill="red")
    made = emoji.centred(picture, 32)
    assert made.size == (32, 32)
    assert made.getchannel("A").getbbox() == (2, 9, 30, 23)  # 28 wide, half as high
    assert made.getpixel((16, 16)) == (255, 0, 0, 255)


def test_an_empty_drawing_stays_empty_when_centred(emoji):
    assert emoji.centred(Image.new("RGBA", (64, 64)), 32).getbbox() is None


def test_a_silhouette_holds_what_lines_enclose(emoji):
    assert emoji.silhouette(drawing(hole=10)).sum() == 20 * 20


def test_drawings_agree_from_an_overlap_of_four_fifths(emoji):
    assert emoji.agree(drawing(), drawing(hole=12))
    assert emoji.agree(drawing(size=20), drawing(size=18))  # 324 / 400
    assert not emoji.agree(drawing(size=20), drawing(size=17))  # 289 / 400


@pytest.mark.slow  # fetches four packages and draws 1,594 code points
def test_the_sets_are_split_by_base_and_unpaired_styles_share_no_code_point(emoji, tmp_path):
    words = [sys.executable, "tools/emoji.py", str(tmp_path / "set"), "noto", "twemoji", "--unpaired"]
    subprocess.run([*words, "--size", "16", "--train-size", "24"], cwd=ROOT, check=True)
    names = {
        (split, style): {path.stem for path in (tmp_path / "set" / split / style).iterdir()}
        for split in ("train", "val", "test")
        for style in ("noto", "twemoji")
    }
    assert not names["train", "noto"] & names["train", "twemoji"]
    assert names["test", "noto"] == names["test", "twemoji"]
    assert len(names["train", "noto"]) + len(names["train", "twemoji"]) > 1200
    assert len(names["test", "noto"]) > 200
    bases = {key: {emoji.base(code) for code in codes} for key, codes in names.items()}
    assert not bases["train", "noto"] & bases["test", "noto"]
    assert not bases["train", "noto"] & bases["train", "twemoji"]
    for split, size in (("train", 24), ("val", 16), ("test", 16)):
        assert Image.open(next((tmp_path / "set" / split / "noto").iterdir())).size == (size, size)
