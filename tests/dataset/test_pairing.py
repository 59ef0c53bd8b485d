"""Which files belong together: by name, in three layouts, and never by position."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.data.paired import find_pairs, match_pairs, splits
from i2i.errors import Exit, I2IError

Save = Callable[..., Path]
Paint = Callable[[int, int], np.ndarray]
EARTH = Path(__file__).parents[1] / "data" / "earth"


def refused(code: str, root: Path, **arguments: str | None) -> str:
    """The message of the error that looking for pairs of the split `train` ends with."""
    with pytest.raises(I2IError) as caught:
        find_pairs(root, split="train", **arguments)
    assert caught.value.code == code
    assert caught.value.exit_code == Exit.REFUSED
    return str(caught.value)


def names(root: Path, split: str = "train", **arguments: str | None) -> list[tuple[str, str, str]]:
    return [
        (pair.name, pair.source.relative_to(root).as_posix(), pair.target.relative_to(root).as_posix())
        for pair in find_pairs(root, split=split, **arguments)
    ]


def test_folders_a_and_b_are_matched_by_name_whatever_the_file_type(save: Save, tmp_path: Path) -> None:
    for name in ("train/A/2.png", "train/A/1.png", "train/B/1.jpg", "train/B/2.bmp"):
        save(name)
    assert names(tmp_path) == [("1", "train/A/1.png", "train/B/1.jpg"), ("2", "train/A/2.png", "train/B/2.bmp")]


@pytest.mark.parametrize(
    "folders", [("source", "target"), ("Input", "Output"), ("input", "target"), ("before", "after")]
)
def test_folder_names_that_say_their_direction_are_understood(
    folders: tuple[str, str], save: Save, tmp_path: Path
) -> None:
    first, second = folders
    save(f"train/{first}/x.png")
    save(f"train/{second}/x.png")
    assert names(tmp_path) == [("x", f"train/{first}/x.png", f"train/{second}/x.png")]


def test_the_bundled_earth_pairs_need_their_direction_named() -> None:
    message = refused("E_LAYOUT", EARTH)
    assert "found: relief, satellite" in message
    assert "--data.source" in message
    assert "--data.target" in message
    train = names(EARTH, source="satellite", target="relief")
    assert [name for name, _, _ in train] == ["africa_europe", "asia", "australia"]
    assert train[1] == ("asia", "train/satellite/asia.jpg", "train/relief/asia.jpg")
    assert len(names(EARTH, "test", source="relief", target="satellite")) == 48


def test_one_named_folder_of_two_is_enough(save: Save, tmp_path: Path) -> None:
    save("train/photo/x.png")
    save("train/map/x.png")
    assert names(tmp_path, source="photo") == [("x", "train/photo/x.png", "train/map/x.png")]
    assert names(tmp_path, target="photo") == [("x", "train/map/x.png", "train/photo/x.png")]


def test_more_than_two_folders_are_never_guessed_at(save: Save, tmp_path: Path) -> None:
    for folder in ("A", "B", "masks"):
        save(f"train/{folder}/x.png")
    assert "found: A, B, masks" in refused("E_LAYOUT", tmp_path)
    assert "found: A, B, masks" in refused("E_LAYOUT", tmp_path, source="A")
    assert "found: A, B, masks" in refused("E_LAYOUT", tmp_path, target="A")
    assert len(find_pairs(tmp_path, split="train", source="A", target="masks")) == 1


def test_options_turn_the_direction_round(save: Save, tmp_path: Path) -> None:
    for name in ("train/A/x.png", "train/B/x.png", "testA/y.png", "testB/y.png"):
        save(name)
    assert names(tmp_path, source="B", target="A") == [("x", "train/B/x.png", "train/A/x.png")]
    assert names(tmp_path, "test", source="B", target="A") == [("y", "testB/y.png", "testA/y.png")]
    assert names(tmp_path, "test", source="B") == [("y", "testB/y.png", "testA/y.png")]


def test_flat_folders_train_a_and_train_b_are_found(save: Save, tmp_path: Path) -> None:
    for name in ("trainA/x.png", "trainB/x.png", "testA/y.png", "testB/y.png"):
        save(name)
    assert names(tmp_path) == [("x", "trainA/x.png", "trainB/x.png")]
    assert splits(tmp_path) == ("train", "test")


def test_pictures_with_both_sides_are_found_and_either_half_can_be_the_source(save: Save, tmp_path: Path) -> None:
    save("train/x.png", np.zeros((4, 8, 3), np.uint8))
    (pair,) = find_pairs(tmp_path, split="train")
    assert (pair.name, pair.source, pair.side_by_side, pair.source_left) == ("x", tmp_path / "train/x.png", True, True)
    assert find_pairs(tmp_path, split="train", source="right")[0].source_left is False
    assert find_pairs(tmp_path, split="train", target="left")[0].source_left is False
    assert "left or right, not 'A'" in refused("E_LAYOUT", tmp_path, source="A")
    assert "are both 'left'" in refused("E_LAYOUT", tmp_path, source="left", target="left")


def test_a_missing_partner_and_a_surplus_are_all_listed(save: Save, tmp_path: Path) -> None:
    for name in ("A/1.png", "A/2.png", "A/3.png", "B/2.png", "B/4.png"):
        save(f"train/{name}")
    message = refused("E_PAIR_MISSING", tmp_path)
    assert "3 files cannot be used" in message
    for path in ("A/1.png", "A/3.png", "B/4.png"):
        assert str(tmp_path / "train" / path) in message
    assert "A/2.png" not in message
    pairs, problems = match_pairs(tmp_path, split="train")
    assert [(pair.source.name, pair.target.name) for pair in pairs] == [("2.png", "2.png")]
    assert len(problems) == 3


def test_shifted_names_are_never_paired_by_position(save: Save, tmp_path: Path) -> None:
    for number in range(5):
        save(f"train/A/{number}.png")
        save(f"train/B/{number + 1}.png")
    message = refused("E_PAIR_MISSING", tmp_path)
    assert "2 files cannot be used" in message
    assert "A/0.png" in message
    assert "B/5.png" in message


def test_two_files_of_one_name_on_one_side_are_refused(save: Save, tmp_path: Path) -> None:
    for name in ("A/x.png", "A/x.jpg", "B/x.png", "B/alone.png"):
        save(f"train/{name}")
    message = refused("E_PAIR_DUPLICATE", tmp_path)
    assert "x.png: has the name of x.jpg beside it" in message
    assert "alone.png" in message


def test_a_long_list_is_cut_but_counted(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png")
    save("train/B/x.png")
    for number in range(33):
        save(f"train/A/{number}.png")
    message = refused("E_PAIR_MISSING", tmp_path)
    assert "33 files cannot be used" in message
    assert message.count("E_PAIR_MISSING /") == 20
    assert message.endswith("... and 13 more")


def test_composed_and_decomposed_accents_are_the_same_name(save: Save, tmp_path: Path) -> None:
    composed = unicodedata.normalize("NFC", "café")
    decomposed = unicodedata.normalize("NFD", "café")
    assert composed != decomposed
    save(f"train/A/{decomposed}.png")
    save(f"train/B/{composed}.png")
    assert [pair.name for pair in find_pairs(tmp_path, split="train")] == [composed]


def test_folders_inside_the_sides_are_part_of_the_name(save: Save, tmp_path: Path) -> None:
    for name in ("A/x/1.png", "A/y/1.png", "B/x/1.png", "B/y/1.png"):
        save(f"train/{name}")
    assert [pair.name for pair in find_pairs(tmp_path, split="train")] == ["x/1", "y/1"]


def test_a_dot_in_a_name_is_not_a_suffix(save: Save, tmp_path: Path) -> None:
    for name in ("A/v1.0.png", "A/v1.5.png", "B/v1.0.png", "B/v1.5.png"):
        save(f"train/{name}")
    assert [pair.name for pair in find_pairs(tmp_path, split="train")] == ["v1.0", "v1.5"]


@pytest.mark.skipif(os.name == "nt", reason="such names cannot exist there")
@pytest.mark.parametrize("name", ["a\nb", "-rf", "snow \u2603", os.fsdecode(b"\xff")])
def test_odd_names_pair_and_are_escaped_in_messages(name: str, save: Save, tmp_path: Path) -> None:
    source = save(f"train/A/{name}.png")
    save("train/B/other.png")
    message = refused("E_PAIR_MISSING", tmp_path)
    assert len(message.splitlines()) == 3
    message.encode("utf-8")
    (tmp_path / "train/B/other.png").unlink()
    save(f"train/B/{name}.png")
    assert find_pairs(tmp_path, split="train")[0].source == source


def test_hidden_and_temporary_names_do_not_count(save: Save, tmp_path: Path) -> None:
    for name in ("A/1.png", "B/1.png", "A/.2.png", "B/.i2i-tmp-3.png", ".cache/x.png", "A/notes.txt.png"):
        save(f"train/{name}")
    (tmp_path / "train/A/notes.txt.png").rename(tmp_path / "train/A/notes.txt")
    assert [pair.name for pair in find_pairs(tmp_path, split="train")] == ["1"]


def test_two_layouts_at_once_are_refused(save: Save, tmp_path: Path) -> None:
    for name in ("train/A/x.png", "train/B/x.png", "train/both.png"):
        save(name)
    message = refused("E_LAYOUT", tmp_path)
    assert "train/ holds the folders A, B; train/ holds pictures of its own" in message
    (tmp_path / "train/both.png").unlink()
    save("trainA/x.png")
    save("trainB/x.png")
    assert "there are trainA and trainB" in refused("E_LAYOUT", tmp_path)


@pytest.mark.parametrize("missing", ["source", "target"])
def test_a_named_folder_that_does_not_exist_is_told_with_those_that_do(
    missing: str, save: Save, tmp_path: Path
) -> None:
    save("train/A/x.png")
    save("train/B/x.png")
    message = refused("E_LAYOUT", tmp_path, **{missing: "C"})
    assert f"--data.{missing} 'C' does not exist here; found: A, B" in message


def test_the_same_folder_cannot_be_both_sides(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png")
    save("train/B/x.png")
    assert "are both 'A'" in refused("E_LAYOUT", tmp_path, source="A", target="A")


def test_an_unknown_tree_is_described(save: Save, tmp_path: Path) -> None:
    save("photos/x.png")
    message = refused("E_LAYOUT", tmp_path)
    assert "no pairs for the split 'train'" in message
    assert "found the folders: photos" in message
    assert "is not a folder" in refused("E_LAYOUT", tmp_path / "nowhere")
    (tmp_path / "train").mkdir()
    assert "train/ holds neither folders nor pictures" in refused("E_LAYOUT", tmp_path)


def test_the_folder_of_one_split_given_as_the_data_is_noticed(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png")
    save("train/B/x.png")
    assert f"--data takes the folder above: {tmp_path}" in refused("E_LAYOUT", tmp_path / "train")


def test_an_empty_side_holds_no_pictures(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png")
    (tmp_path / "train/B").mkdir()
    assert str(tmp_path / "train/B") in refused("E_NO_IMAGES", tmp_path)


def test_a_split_never_falls_back_to_another(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png")
    save("train/B/x.png")
    assert splits(tmp_path) == ("train",)
    with pytest.raises(I2IError, match="no pairs for the split 'test'"):
        find_pairs(tmp_path, split="test")


def test_the_bundled_pairs_have_equal_sizes() -> None:
    for split, count in (("train", 3), ("test", 48)):
        pairs = find_pairs(EARTH, split=split, source="satellite", target="relief")
        sizes = [(Image.open(pair.source).size, Image.open(pair.target).size) for pair in pairs]
        assert len(sizes) == count
        assert all(first == second for first, second in sizes)
