"""Which files of a folder count as pictures, in which order, and how their names are shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from i2i.errors import I2IError, printable
from i2i.images.codec import list_images


def touch(folder: Path, *names: str | bytes) -> None:
    for name in names:
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_pictures_are_listed_recursively_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a.JPG", "x/a.tif", "x/y/c.webp", "Z.bmp", "notes.txt", "a.png.part", "ä.gif", "png")
    expected = ["Z.bmp", "a.JPG", "b.png", "x/a.tif", "x/y/c.webp", "ä.gif"]
    assert [path.as_posix() for path in list_images(tmp_path)] == expected


def test_hidden_and_temporary_names_are_skipped_with_all_below(tmp_path: Path) -> None:
    touch(tmp_path, ".hidden.png", ".git/a.png", "x/.thumbs/b.png", ".i2i-tmp-1-0-0-0.png", "x/a.png")
    assert list_images(tmp_path) == [Path("x/a.png")]


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    touch(inside, "a.png")
    touch(outside, "b.png")
    (inside / "same.png").symlink_to("a.png")
    (inside / "away.png").symlink_to(outside / "b.png")
    (inside / "folder").symlink_to(outside)
    (inside / "round").symlink_to(inside)
    (inside / "broken.png").symlink_to("none.png")
    (tmp_path / "entry").symlink_to(inside)
    expected = [Path("a.png"), Path("broken.png"), Path("same.png")]
    assert list_images(inside) == expected
    assert list_images(tmp_path / "entry") == expected


def test_odd_names_are_listed_and_shown_on_one_line(tmp_path: Path) -> None:
    touch(tmp_path, "new\nline.png", "-dash.png", "a b.png", "\U0001f431.png", b"caf\xe9.png")
    found = list_images(tmp_path)
    assert len(found) == 5
    assert all((tmp_path / path).is_file() for path in found)
    shown = [printable(path) for path in found]
    assert shown == ["-dash.png", "a b.png", "caf\\udce9.png", "new\\nline.png", "\U0001f431.png"]
    assert all(text.encode("utf-8") for text in shown)


def test_an_empty_folder_gives_an_empty_list_and_a_missing_one_an_error(tmp_path: Path) -> None:
    assert list_images(tmp_path) == []
    with pytest.raises(I2IError) as caught:
        list_images(tmp_path / "none")
    assert caught.value.code == "E_UNREADABLE"
