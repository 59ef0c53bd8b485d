"""Pictures of several domains: which folder is which number, who keeps a label, and what an epoch is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data.augment import Augmentation
from i2i.data.batches import loader
from i2i.data.conditioned import ConditionedFolder
from i2i.data.domains_source import DomainsSource
from i2i.data.sampler import Draw
from i2i.errors import I2IError
from i2i.images.card import Condition

Save = Callable[..., Path]


def source(root: Path, *, validation: str | None = None, size: int = 4, mode: Any = "resize", **options: Any) -> Any:
    augmentation = Augmentation(size=size, mode=mode, flips=())
    return DomainsSource(root=root, augmentation=augmentation, validation_split=validation, **options)


def training_set(root: Path, *, seed: int = 0, **options: Any) -> ConditionedFolder:
    made = source(root, **options).training_set(value_range=(-1.0, 1.0), seed=seed)
    assert isinstance(made, ConditionedFolder)
    return made


def numbers(folder: ConditionedFolder) -> list[int]:
    """The conditions of one epoch, in the order of its indices."""
    return [int(folder[Draw(index, 0)][1]) for index in range(len(folder))]


@pytest.fixture
def crowd(save: Save, tmp_path: Path) -> Callable[..., Path]:
    """Writes so many plain pictures into each folder; the red of each is its number in the folder."""

    def write(**counts: int) -> Path:
        for name, count in counts.items():
            for number in range(count):
                save(f"{name}/{number:03d}.png", np.full((4, 4, 3), number, np.uint8))
        return tmp_path

    return write


def test_balanced_domains_take_turns_however_many_pictures_they_have(crowd: Callable[..., Path]) -> None:
    folder = training_set(crowd(many=9, few=2, some=3), balanced=True)
    assert len(folder) == 3 * 9
    drawn = [folder[Draw(index % 5, index)] for index in range(27)]  # the position decides, not the index
    domains = [int(number) for _, number in drawn]
    for start in range(0, 27, 3):
        assert sorted(domains[start : start + 3]) == [0, 1, 2]
    pictures = [int(picture[0, 0, 0]) for picture, number in drawn if number == 1]
    assert sorted(pictures) == list(range(9))  # names in order: few, many, some
    few = [int(picture[0, 0, 0]) for picture, number in drawn if number == 0]
    assert sorted(few[:8]) == [0] * 4 + [1] * 4
    with pytest.raises(ValueError, match="both say how often a picture comes"):
        source(Path("x"), balanced=True, labelled_share=0.5)


@pytest.mark.parametrize("above", ["train/", ""])
def test_domains_are_numbered_by_the_order_of_their_names(save: Save, tmp_path: Path, above: str) -> None:
    for red, name in enumerate(("zebra", "horse", "ass")):
        save(f"{above}{name}/x.png", np.full((4, 4, 3), red, np.uint8))
    assert source(tmp_path).condition == Condition(kind="domains", names=("ass", "horse", "zebra"))
    folder = training_set(tmp_path)
    assert [(int(picture[0, 0, 0]), int(number)) for picture, number in (folder[Draw(i, 0)] for i in range(3))] == [
        (2, 0),
        (1, 1),
        (0, 2),
    ]


def test_every_split_is_looked_at_and_named_in_the_digests(save: Save, tmp_path: Path) -> None:
    for red, name in enumerate(("train/b/1.png", "train/a/deeper/2.png", "test/b/1.png", "train/unlabelled/3.png")):
        save(name, np.full((4, 4, 3), red, np.uint8))
    found = source(tmp_path).scan()
    found.raise_if_bad()
    assert found.warnings == ()
    listed = {split: [path.as_posix() for path in pictures] for split, pictures in found.samples.items()}
    assert listed == {
        "train": ["train/a/deeper/2.png", "train/b/1.png", "train/unlabelled/3.png"],
        "test": ["test/b/1.png"],
    }
    assert set(found.digests) == {path for paths in listed.values() for path in paths}


def test_bad_files_and_pictures_in_two_splits_are_told(save: Save, tmp_path: Path) -> None:
    save("train/a/1.png")
    save("val/a/2.png")
    save("train/b/small.png", np.zeros((3, 9, 3), np.uint8))
    (tmp_path / "train/b/broken.png").write_bytes(b"")
    found = source(tmp_path, mode="crop").scan()
    assert {problem.code for problem in found.problems} == {"E_SIZE", "E_EMPTY"}
    assert "val/a/2.png is train/a/1.png" in found.warnings[0]


def test_a_batch_holds_scaled_pictures_and_whole_numbers(crowd: Callable[..., Path]) -> None:
    folder = training_set(crowd(a=1, b=1, unlabelled=1))
    with loader(folder, batch_size=3, seed=0, start_step=0, stop_step=1) as batches:
        (batch,) = batches
    assert batch.image.shape == (3, 3, 4, 4)
    assert batch.condition.dtype == torch.int64
    assert sorted(batch.condition.tolist()) == [-1, 0, 1]
    white = torch.full((1, 4, 4, 3), 255, dtype=torch.uint8)
    assert float(folder.scale(white, torch.tensor([1])).image.mean()) == 1.0


def test_pictures_of_the_folder_unlabelled_come_with_minus_one(crowd: Callable[..., Path]) -> None:
    root = crowd(**{"train/unlabelled": 3, "train/cat": 2, "train/wolf": 1, "val/unlabelled": 1})
    assert source(root).condition.names == ("cat", "wolf")
    assert numbers(training_set(root)) == [0, 0, 1, -1, -1, -1]


def test_who_keeps_a_label_is_drawn_from_the_seed_for_each_domain(crowd: Callable[..., Path]) -> None:
    root = crowd(a=30, b=30)

    def kept(count: int, seed: int) -> list[set[int]]:
        given = numbers(training_set(root, seed=seed, labelled_per_domain=count))
        return [{index % 30 for index, number in enumerate(given) if number == domain} for domain in (0, 1)]

    few, more = kept(5, 0), kept(12, 0)
    assert [len(domain) for domain in few + more] == [5, 5, 12, 12]
    assert few == kept(5, 0)
    assert few != kept(5, 1)
    assert few[0] != few[1]
    assert all(small < large for small, large in zip(few, more, strict=True))
    assert numbers(training_set(root, labelled_per_domain=30)) == [0] * 30 + [1] * 30


def test_a_domain_with_fewer_pictures_than_labels_keeps_all(crowd: Callable[..., Path]) -> None:
    given = numbers(training_set(crowd(a=2, b=5), labelled_per_domain=3))
    assert [given.count(number) for number in (0, 1, -1)] == [2, 3, 2]


@pytest.mark.parametrize(("share", "labelled"), [(0.5, 34), (0.25, 11), (0.9, 306)])
def test_labelled_pictures_are_repeated_evenly_up_to_their_share(
    crowd: Callable[..., Path], share: float, labelled: int
) -> None:
    # 6 of 40 pictures have a label: 34 have none, so n labelled ones are a share of n / (n + 34).
    root = crowd(a=20, b=20)
    folder = training_set(root, labelled_per_domain=3, labelled_share=share)
    given = numbers(folder)
    assert given.count(-1) == 34
    assert len(given) == labelled + 34
    shown = [folder[Draw(index, 0)] for index in range(len(folder))]
    times = [(int(number), int(picture[0, 0, 0])) for picture, number in shown if number >= 0]
    counts = [times.count(picture) for picture in set(times)]
    assert len(counts) == 6
    assert max(counts) - min(counts) <= 1


def test_large_pictures_count_by_their_crops_in_the_share(save: Save, tmp_path: Path) -> None:
    save("a/x.png", np.zeros((4, 4, 3), np.uint8))
    save("b/x.png", np.zeros((4, 4, 3), np.uint8))
    save("unlabelled/x.png", np.zeros((8, 16, 3), np.uint8))  # eight crops of 4 x 4
    given = numbers(training_set(tmp_path, mode="crop", labelled_share=0.5))
    assert [given.count(number) for number in (0, 1, -1)] == [4, 4, 8]


def test_a_share_that_labels_exceed_already_is_refused(crowd: Callable[..., Path]) -> None:
    root = crowd(a=2, b=2, unlabelled=4)
    with pytest.raises(I2IError, match="4 of 8 samples have a label, which is more; leave it out") as caught:
        training_set(root, labelled_share=0.4)
    assert caught.value.code == "E_RECIPE"
    assert len(training_set(root, labelled_share=0.5)) == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"labelled_per_domain": -1}, "labelled_per_domain is a number of pictures"),
        ({"labelled_share": 1.0}, "labelled_share lies between 0 and 1, not 1.0"),
        ({"labelled_share": -0.1}, "labelled_share lies between"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        source(tmp_path, **options)


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        (["a/1.png", "b/1.png", "2.png"], "E_LAYOUT", "beside the folders; move them into a domain's folder"),
        (["train/a/1.png", "train/b/1.png", "train/2.png"], "E_LAYOUT", "train: holds pictures beside the folders"),
        (["train/a/1.png", "train/b/1.png", "2.png"], "E_LAYOUT", "beside the folders"),
        (["a/1.png", "unlabelled/1.png"], "E_LAYOUT", "the folders of the domains are a, and there have to be two"),
        (["train/a/1.png", "train/b/1.png", "val/c/1.png"], "E_LAYOUT", "val/ has the domains c, train/ has not"),
        (["val/a/1.png", "val/b/1.png"], "E_LAYOUT", "there is no split 'train', only val"),
        (["train/a/1.png", "train/b/1.png", "val/notes.txt"], "E_NO_IMAGES", "val: holds no folders of domains"),
        (["train/a/1.png", "train/b/notes.txt"], "E_EMPTY_DOMAIN", "b: holds no pictures"),
        (["a/1.png", "b/1.png", "unlabelled/notes.txt"], "E_EMPTY_DOMAIN", "unlabelled: holds no pictures"),
        (["a/1.png", "b\n/1.png"], "E_LAYOUT", r"a domain cannot be named 'b\\n'; rename"),
        (["trainA/1.png", "trainB/1.png"], "E_LAYOUT", "two sides, not domains; use train/A and train/B"),
        (["notes.txt"], "E_LAYOUT", "the folders of the domains are none"),
    ],
)
def test_folders_that_do_not_say_which_domains_there_are_are_refused(
    save: Save, tmp_path: Path, files: list[str], code: str, said: str
) -> None:
    for name in files:
        if name.endswith(".txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")
        else:
            save(name)
    with pytest.raises(I2IError, match=said) as caught:
        source(tmp_path).scan()
    assert caught.value.code == code


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="absent: is not a folder"):
        _ = source(tmp_path / "absent").condition


def test_what_is_looked_at_is_of_every_domain_of_the_other_split(save: Save, tmp_path: Path) -> None:
    for name, red in (("train/a", 10), ("train/b", 20), ("test/a", 30), ("test/b", 40)):
        for number in range(4):
            save(f"{name}/{number}.png", np.full((9, 9, 3), red, np.uint8))
    looked = source(tmp_path)
    pictures = looked.monitored(looked.scan(), count=4)
    assert [picture.shape for picture in pictures] == [(4, 4, 3)] * 4
    assert [int(picture[0, 0, 0]) for picture in pictures] == [30, 30, 40, 40]
