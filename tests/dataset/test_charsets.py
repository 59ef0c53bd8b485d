"""Sets of characters by name, file and text, and who is held out."""

from __future__ import annotations

from pathlib import Path

import pytest

from i2i.data.charsets import characters, split
from i2i.errors import I2IError


def test_the_two_levels_of_gb2312_have_their_published_numbers_of_characters_and_share_none() -> None:
    one, two = characters("gb2312-1"), characters("gb2312-2")
    assert (len(one), one[0], one[-1]) == (3755, "啊", "座")
    assert (len(two), two[0], two[-1]) == (3008, "亍", "齄")
    assert not set(one) & set(two)


def test_a_text_stands_for_its_characters_each_once_without_spaces() -> None:
    assert characters("永和 九年\n永") == "永和九年"
    assert characters("AB.,!?") == "AB.,!?"
    assert characters("永.和") == "永.和"


def test_a_file_stands_for_the_characters_in_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("山\n水\r\n山 ", encoding="utf-8")
    assert characters(str(tmp_path / "list.txt")) == "山水"


@pytest.mark.parametrize(
    ("which", "code", "said"),
    [
        ("gb2312-3", "E_RECIPE", "unknown set of characters 'gb2312-3'; did you mean 'gb2312-"),
        ("nowhere.txt", "E_UNREADABLE", "nowhere.txt: cannot be read"),
        ("永 和.txt", "E_UNREADABLE", "永 和.txt: cannot be read"),
        ("nowhere.csv", "E_UNREADABLE", "nowhere.csv: cannot be read"),
        ("my-list_2.utf8", "E_UNREADABLE", "my-list_2.utf8: cannot be read"),
        ("  \n", "E_RECIPE", "no characters; name gb2312-1"),
    ],
)
def test_what_means_no_characters_is_refused(which: str, code: str, said: str) -> None:
    with pytest.raises(I2IError) as caught:
        characters(which)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_a_file_that_is_no_utf_8_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("啊座".encode("gb2312"))
    with pytest.raises(I2IError, match="is not text in UTF-8; save it as that"):
        characters(str(tmp_path / "list.txt"))


def test_every_character_is_in_one_part_in_the_order_given() -> None:
    whole = characters("gb2312-1")
    parts = split(whole, test=300, val=100)
    assert {name: len(part) for name, part in parts.items()} == {"train": 3355, "val": 100, "test": 300}
    assert sorted("".join(parts.values())) == sorted(whole)
    assert all(list(part) == sorted(part, key=whole.index) for part in parts.values())


def test_who_is_held_out_follows_from_the_characters_and_not_from_their_order() -> None:
    whole = characters("gb2312-1")[:500]
    assert set(split(whole, test=50, val=0)["test"]) == set(split(whole[::-1], test=50, val=0)["test"])
    # SHA-256 of "U+4E09" begins with 02, of "U+4E8C" with 2f, of "U+4E00" with 91.
    assert split("一二三", test=1, val=1) == {"test": "三", "val": "二", "train": "一"}


def test_nothing_left_to_train_on_is_refused() -> None:
    with pytest.raises(I2IError, match="2 characters for test and 1 for val leave none of 3 to train on"):
        split("三二一", test=2, val=1)
