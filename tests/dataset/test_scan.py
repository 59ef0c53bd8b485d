"""The scan tells everything that is wrong with a data set at once, and notices when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2i.data.paired import find_pairs
from i2i.data.paired_scan import scan, scan_folder
from i2i.data.scan import Scan
from i2i.errors import Exit, I2IError
from i2i.images.card import Pixels

Save = Callable[..., Path]
LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0)))
EARTH = Path(__file__).parents[1] / "data" / "earth"


def look(root: Path, **changes: Any) -> Scan:
    return scan_folder(root, **({"source_pixels": Pixels(), "target_pixels": Pixels()} | changes))


def refused(result: Scan, code: str) -> str:
    with pytest.raises(I2IError) as caught:
        result.raise_if_bad()
    assert caught.value.code == code
    assert caught.value.exit_code == Exit.REFUSED
    return str(caught.value)


@pytest.fixture
def good(save: Save, tmp_path: Path) -> Path:
    """Four training and one test pair, all different."""
    for number, name in enumerate(["train/{}/0", "train/{}/1", "train/{}/2", "train/{}/3", "test/{}/0"]):
        save(name.format("A") + ".png", np.full((8, 8, 3), number, np.uint8))
        save(name.format("B") + ".png", np.full((8, 8, 3), 100 + number, np.uint8))
    return tmp_path


def test_a_good_folder_passes_without_a_word(good: Path) -> None:
    result = look(good)
    result.raise_if_bad()
    assert result.problems == result.warnings == ()
    assert [len(result.samples[split]) for split in ("train", "test")] == [4, 1]


def test_every_bad_file_and_every_missing_partner_is_listed_at_once(good: Path, save: Save) -> None:
    (good / "train/A/0.png").write_bytes(b"")
    (good / "train/A/1.png").write_bytes((good / "train/A/1.png").read_bytes()[:-20])
    (good / "train/B/1.png").write_bytes(b"<html>not found</html>")
    (good / "test/B/0.png").write_bytes(bytes(range(256)))
    save("train/A/alone.png")
    save("train/B/2.png", np.zeros((9, 8, 3), np.uint8))
    message = refused(look(good), "E_BAD_DATA")
    assert "6 files cannot be used" in message
    for code, path in (
        ("E_EMPTY", "train/A/0.png"),
        ("E_TRUNCATED", "train/A/1.png"),
        ("E_UNIDENTIFIED", "train/B/1.png"),
        ("E_UNIDENTIFIED", "test/B/0.png"),
        ("E_PAIR_MISSING", "train/A/alone.png"),
        ("E_PAIR_SIZE", "train/A/2.png"),
    ):
        assert f"{code} {good / path}" in message


def test_problems_of_one_kind_keep_their_own_code(good: Path, save: Save) -> None:
    save("train/A/alone.png")
    refused(look(good), "E_PAIR_MISSING")
    save("train/A/0.jpg")
    refused(look(good), "E_PAIR_DUPLICATE")


def test_training_pictures_smaller_than_the_crop_are_refused_with_the_remedy(good: Path) -> None:
    message = refused(look(good, minimum_size=(8, 9)), "E_PAIR_SIZE")
    assert "8x8 pixels, smaller than the crop of 9x8; set --data.augmentation.mode resize" in message
    assert message.count("smaller than the crop") == 4  # the test pair is used whole
    look(good, minimum_size=(8, 8)).raise_if_bad()


def test_an_odd_width_side_by_side_is_refused(save: Save, tmp_path: Path) -> None:
    save("train/ok.png", np.zeros((8, 16, 3), np.uint8))
    save("train/odd.png", np.zeros((8, 17, 3), np.uint8))
    message = refused(look(tmp_path), "E_PAIR_SIZE")
    assert "odd.png: is 17x8 pixels: a picture with both sides in it has an even width" in message
    assert "ok.png" not in message


def test_the_half_side_by_side_has_to_hold_the_crop(save: Save, tmp_path: Path) -> None:
    save("train/x.png", np.zeros((8, 16, 3), np.uint8))
    look(tmp_path, minimum_size=(8, 8)).raise_if_bad()
    assert "8x8 pixels, smaller" in refused(look(tmp_path, minimum_size=(8, 10)), "E_PAIR_SIZE")


def test_one_broken_file_with_both_sides_is_one_problem(save: Save, tmp_path: Path) -> None:
    save("train/x.png").write_bytes(b"")
    assert "1 file cannot be used" in refused(look(tmp_path, target_pixels=Pixels(colour="gray")), "E_EMPTY")


@pytest.mark.parametrize("side", ["source", "target"])
def test_colours_outside_the_palette_are_found_on_either_side(side: str, good: Path) -> None:
    for path in good.rglob("*.png"):
        Image.new("RGB", (8, 8), (255, 0, 0)).save(path)
    wrong = good / "train" / {"source": "A", "target": "B"}[side] / "2.png"
    picture = Image.new("RGB", (8, 8), (255, 0, 0))
    picture.putpixel((3, 3), (254, 0, 0))
    picture.save(wrong)
    message = refused(look(good, **{f"{side}_pixels": LABELS}), "E_PALETTE")
    assert "1 file cannot be used" in message
    assert str(wrong) in message


def test_pictures_shared_by_train_and_test_are_counted_in_a_warning(good: Path) -> None:
    (good / "test/A/0.png").write_bytes((good / "train/A/3.png").read_bytes())
    result = look(good)
    result.raise_if_bad()
    (warning,) = result.warnings
    assert warning.startswith("1 file of val or test is also in train (test/source/0 is train/source/3)")


def test_a_wrong_suffix_is_a_warning(good: Path) -> None:
    Image.new("RGB", (8, 8)).save(good / "train/A/0.png", format="JPEG")
    result = look(good)
    result.raise_if_bad()
    assert len(result.warnings) == 1
    assert str(good / "train/A/0.png") in result.warnings[0]


def test_the_fingerprint_depends_on_names_and_contents_only(good: Path, tmp_path_factory: Any) -> None:
    before = look(good).fingerprint()
    elsewhere = tmp_path_factory.mktemp("copy") / "data"
    good.rename(elsewhere)
    for path in elsewhere.rglob("*.png"):
        path.touch()
    assert look(elsewhere).fingerprint() == before
    (elsewhere / "train/A/0.png").rename(elsewhere / "train/A/9.png")
    (elsewhere / "train/B/0.png").rename(elsewhere / "train/B/9.png")
    assert look(elsewhere).fingerprint() != before


def test_a_changed_data_set_is_told_file_by_file(good: Path, save: Save) -> None:
    before = look(good)
    look(good).raise_if_changed(before.digests)
    save("train/A/1.png", np.full((8, 8, 3), 77, np.uint8))
    save("train/A/new.png")
    save("train/B/new.png")
    (good / "train/A/2.png").unlink()
    (good / "train/B/2.png").unlink()
    after = look(good)
    assert after.fingerprint() != before.fingerprint()
    with pytest.raises(I2IError) as caught:
        after.raise_if_changed(before.digests)
    assert caught.value.code == "E_DATA_CHANGED"
    assert caught.value.message.splitlines()[1:] == [
        "  added: train/source/new",
        "  added: train/target/new",
        "  removed: train/source/2",
        "  removed: train/target/2",
        "  other content: train/source/1",
    ]


def test_pairs_found_before_can_be_scanned_by_themselves(good: Path) -> None:
    pairs = find_pairs(good, split="test")
    result = scan({"test": pairs}, source_pixels=Pixels(), target_pixels=Pixels())
    assert list(result.digests) == ["test/source/0", "test/target/0"]


def test_the_bundled_earth_pairs_are_good() -> None:
    result = look(EARTH, source="satellite", target="relief", minimum_size=(128, 128))
    result.raise_if_bad()
    assert result.warnings == ()
    assert len(result.digests) == 102


def test_a_folder_without_any_split_says_what_was_found(save: Save, tmp_path: Path) -> None:
    save("photos/x.png")
    with pytest.raises(I2IError, match="found the folders: photos"):
        look(tmp_path)
