"""Pictures with a list of attributes: which row is whose, what a value becomes, and what is wrong with a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data.attribute_list import match
from i2i.data.attributes_source import AttributesSource
from i2i.data.augment import Augmentation
from i2i.data.batches import loader
from i2i.data.sampler import Draw
from i2i.errors import I2IError
from i2i.images.card import Condition

Save = Callable[..., Path]
Write = Callable[..., Path]

FACES = """3
Smiling Age Hat
a.png -1  0.25 1
b.png  1 -1    1
c.png -1  1    1
"""


def source(root: Path, **options: Any) -> AttributesSource:
    return AttributesSource(root=root, augmentation=Augmentation(size=4, mode="resize", flips=()), **options)


def rows(root: Path, **options: Any) -> dict[int, list[float]]:
    """The attributes of each training picture, by the red of its pixels."""
    folder = source(root, **options).training_set(value_range=(-1.0, 1.0), seed=0)
    samples = [folder[Draw(index, 0)] for index in range(len(folder))]
    return {int(picture[0, 0, 0]): values.tolist() for picture, values in samples}


@pytest.fixture
def write(save: Save, tmp_path: Path) -> Write:
    """Writes pictures, whose red is their place in the list, and files of text."""

    def make(*pictures: str, **texts: str) -> Path:
        for red, name in enumerate(pictures):
            save(name, np.full((4, 4, 3), red, np.uint8))
        for name, text in texts.items():
            (tmp_path / f"{name}.txt").write_text(text)
        return tmp_path

    return make


def test_each_picture_has_the_values_of_its_row(write: Write) -> None:
    root = write("c.png", "a.png", "b.png", list_attr=FACES)
    ranges = ((0.0, 1.0), (-1.0, 1.0), (0.0, 1.0))
    assert source(root).condition == Condition(kind="attributes", names=("Smiling", "Age", "Hat"), ranges=ranges)
    # Smiling and Hat hold -1 and 1 alone; Age holds 0.25 too, so its -1 is a number.
    assert rows(root) == {0: [0, 1, 1], 1: [0, 0.25, 1], 2: [1, -1, 1]}


def test_attributes_are_chosen_and_ordered_by_name(write: Write) -> None:
    root = write("a.png", "b.png", "c.png", list_attr=FACES)
    chosen = source(root, attributes=("Hat", "Smiling"))
    assert chosen.condition.names == ("Hat", "Smiling")
    assert rows(root, attributes=("Hat", "Smiling")) == {0: [1, 0], 1: [1, 1], 2: [1, 0]}


def test_a_batch_holds_scaled_pictures_and_their_numbers(write: Write) -> None:
    folder = source(write("a.png", "b.png", "c.png", list_attr=FACES)).training_set(value_range=(0.0, 1.0), seed=0)
    with loader(folder, batch_size=3, seed=0, start_step=0, stop_step=1) as batches:
        (batch,) = batches
    assert batch.image.shape == (3, 3, 4, 4)
    assert batch.condition.dtype == torch.float32
    expected = torch.tensor([[0, 0.25, 1], [1, -1, 1], [0, 1, 1]])
    for picture, values in zip(batch.image, batch.condition, strict=True):
        assert torch.equal(values, expected[round(float(picture[0, 0, 0]) * 255)])


@pytest.mark.parametrize(
    ("pictures", "files"),
    [
        (["train/1.png", "train/2.png"], ["train/1.png", "train/2.png"]),
        (["train/1.png", "train/2.png"], ["2.png", "1.png"]),
        (["img/align/1.png", "img/align/2.png"], ["align/1.png", "./2.png"]),
        (["train/1.png", "train/x/1.png"], ["x/1.png", "train/1.png"]),
        (["a picture.png", "gar\u00e7on.png"], ["a picture.png", "garc\u0327on.png"]),
    ],
)
def test_a_row_is_the_picture_whose_path_ends_with_it(write: Write, pictures: list[str], files: list[str]) -> None:
    text = "2\nred\n" + "".join(f"{file} {number + 5}\n" for number, file in enumerate(files))
    found = rows(write(*pictures, list_attr=text))
    order = [0, 1] if files[0].endswith(pictures[0].removeprefix("img/")) else [1, 0]
    assert found == {red: [float(5 + row)] for red, row in enumerate(order)}


def test_the_digest_of_the_list_is_kept_with_those_of_the_pictures(write: Write) -> None:
    root = write("a.png", "b.png", "c.png", list_attr=FACES)
    found = source(root).scan()
    found.raise_if_bad()
    assert found.warnings == ()
    assert set(found.digests) == {"train/a.png", "train/b.png", "train/c.png", "list_attr.txt"}
    write(list_attr=FACES.replace("0.25", "0.5"))
    with pytest.raises(I2IError, match=r"other content: list_attr\.txt"):
        source(root).scan().raise_if_changed(found.digests)


def test_a_partition_decides_the_splits(write: Write) -> None:
    partition = "c.png 1\nb.png 2\na.png 0\n"
    root = write("a.png", "b.png", "c.png", list_attr=FACES, list_eval_partition=partition)
    found = source(root).scan()
    found.raise_if_bad()
    assert found.samples == {"train": [Path("a.png")], "val": [Path("c.png")], "test": [Path("b.png")]}
    assert set(found.digests) == {"train/a.png", "val/c.png", "test/b.png", "list_attr.txt"}
    assert rows(root) == {0: [0, 0.25, 1]}
    assert int(source(root).monitored(found, count=1)[0][0, 0, 0]) == 2


def test_the_folders_of_celeba_are_taken_as_they_are(write: Write, tmp_path: Path) -> None:
    root = write(*(f"Img/img_align_celeba/{name}.png" for name in "abc"))
    for folder, name, text in (
        ("Anno", "list_attr_celeba.txt", FACES),
        ("Eval", "list_eval_partition.txt", "a.png 0\nb.png 0\nc.png 1\n"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    source(root).scan().raise_if_bad()
    assert rows(root) == {0: [0, 0.25, 1], 1: [1, -1, 1]}


def test_everything_wrong_between_list_and_pictures_is_told_at_once(write: Write, save: Save) -> None:
    root = write("x/a.png", "y/a.png", "b.png", "alone.png", list_attr=FACES.replace("3", "4", 1) + "b.png 1 1 1\n")
    (root / "b.png").write_bytes(b"")
    found = source(root).scan()
    told = {(problem.path.relative_to(root).as_posix(), problem.code, problem.message) for problem in found.problems}
    assert told == {
        ("alone.png", "E_BAD_DATA", f"is not in {root / 'list_attr.txt'}; add a row, or remove the picture"),
        ("list_attr.txt", "E_BAD_DATA", "'a.png' is x/a.png and y/a.png; name their folders"),
        ("list_attr.txt", "E_BAD_DATA", "'b.png' is listed twice; keep one of the two"),
        (
            "list_attr.txt",
            "E_BAD_DATA",
            "'c.png' is listed, and there is no such picture; add it, or remove the row",
        ),
        ("b.png", "E_EMPTY", next(problem.message for problem in found.problems if problem.code == "E_EMPTY")),
    }
    with pytest.raises(I2IError, match="4 files cannot be used"):
        source(root).training_set(value_range=(-1.0, 1.0), seed=0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FACES.replace("3", "4", 1), "the first line says 4, and 3 rows follow"),
        (FACES.replace("b.png  1 -1    1", "b.png 1 -1"), "line 4: 2 values behind 'b.png', and there are 3 names"),
        (FACES.replace("b.png  1 -1", "b.png 1 1 1"), "line 4: 4 values behind 'b.png', and there are 3 names"),
        (FACES.replace("b.png  1 -1    1", "b.png"), "line 4: 0 values behind 'b.png'"),
        (FACES.replace("\na.png", "\n\n\na.png").replace("0.25", "old"), "line 5: could not convert .* 'old'"),
        (FACES.replace("0.25", "nan"), "line 3: a value that is not finite"),
        (FACES.replace("Age", "Hat"), "line 2: 'Hat' stands twice among the names"),
        (FACES.removeprefix("3\n"), "does not begin with a line that holds the number of rows"),
        ("3\n", "does not begin with a line that holds the number of rows"),
    ],
)
def test_a_list_that_is_not_whole_is_refused_with_the_line(write: Write, text: str, said: str) -> None:
    root = write("a.png", "b.png", "c.png", list_attr=text)
    with pytest.raises(I2IError, match=rf"list_attr\.txt: {said}") as caught:
        source(root).scan()
    assert caught.value.code == "E_BAD_DATA"


@pytest.mark.parametrize("row", ["a.png 3", "a.png", "a.png 0 0 train"])
def test_a_partition_of_other_words_is_refused_with_the_line(write: Write, row: str) -> None:
    root = write("a.png", list_attr=FACES, list_eval_partition=f"b.png 0\n{row}\n")
    with pytest.raises(I2IError, match=r"list_eval_partition\.txt: line 2: 'a\.png") as caught:
        source(root).scan()
    assert caught.value.code == "E_BAD_DATA"


def test_a_picture_without_a_split_is_refused(write: Write) -> None:
    root = write("a.png", "b.png", "c.png", list_attr=FACES, list_eval_partition="a.png 0\nc.png 1\n")
    with pytest.raises(I2IError, match=r"b\.png: is not in .*list_eval_partition"):
        source(root).scan()


def test_splits_in_folders_and_in_a_partition_do_not_go_together(write: Write) -> None:
    root = write("train/a.png", "train/b.png", "test/c.png", list_attr=FACES, list_eval_partition="a.png 0\n")
    with pytest.raises(I2IError, match="both say which picture is for training; keep one") as caught:
        source(root).scan()
    assert caught.value.code == "E_LAYOUT"


def test_an_unknown_attribute_is_refused_with_the_nearest(write: Write) -> None:
    root = write("a.png", list_attr=FACES)
    with pytest.raises(I2IError, match="unknown attribute 'smiling'; did you mean 'Smiling'") as caught:
        _ = source(root, attributes=("Hat", "smiling")).condition
    assert caught.value.code == "E_RECIPE"
    with pytest.raises(ValueError, match="attributes are named once each, not Hat, Hat"):
        source(root, attributes=("Hat", "Hat"))


def test_exclusive_groups_are_declared_by_name(write: Write) -> None:
    root = write("a.png", list_attr=FACES)
    assert source(root, exclusive_groups=(("Hat", "Smiling"),)).condition.exclusive_groups == (("Hat", "Smiling"),)
    with pytest.raises(I2IError, match=r"data.exclusive_groups: unknown attribute 'Hats'; did you mean 'Hat'"):
        _ = source(root, exclusive_groups=(("Hats", "Smiling"),)).condition
    with pytest.raises(I2IError, match="unknown attribute 'Smiling'"):
        _ = source(root, attributes=("Hat", "Age"), exclusive_groups=(("Hat", "Smiling"),)).condition
    for groups in [(("Hat", "Smiling"), ("Hat", "Age")), (("Hat",),), (("Hat", "Hat"),)]:
        with pytest.raises(ValueError, match="exclusive groups name two attributes or more, each once"):
            source(root, exclusive_groups=groups)


def test_a_list_that_is_not_there_or_there_twice_is_refused(write: Write, tmp_path: Path) -> None:
    root = write("a.png")
    with pytest.raises(
        I2IError, match=r"there is no faces\.txt, the list of attributes; name it with --data"
    ) as caught:
        source(root, list_file="faces.txt").scan()
    assert caught.value.code == "E_LAYOUT"
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "faces.txt").write_text(FACES)
    with pytest.raises(I2IError, match=r"there are x/faces\.txt and y/faces\.txt; keep one of them"):
        source(root, list_file="faces.txt").scan()


def test_a_list_as_other_systems_write_it_is_read(write: Write) -> None:
    root = write("a.png", "b.png", "c.png")
    (root / "list_attr.txt").write_bytes(b"\xef\xbb\xbf" + FACES.replace("\n", "\r\n").replace(" ", "\t").encode())
    assert rows(root) == {0: [0, 0.25, 1], 1: [1, -1, 1], 2: [0, 1, 1]}


def test_the_longest_end_of_a_path_decides() -> None:
    pictures = [Path("a.png"), Path("x/a.png")]
    found = match(pictures, ["x/a.png", "a.png"], root=Path("root"), path=Path("list"))
    assert found.rows == {Path("a.png"): 1, Path("x/a.png"): 0}
    assert found.problems == []


def test_a_list_that_changes_is_read_again_and_a_single_value_has_a_range(write: Write) -> None:
    root = write("a.png", list_attr="1\nAge\na.png 30\n")
    assert source(root).condition.ranges == ((30.0, 31.0),)
    (root / "list_attr.txt").write_text("1\nAge\na.png 31.5\n")
    assert rows(root) == {0: [31.5]}
