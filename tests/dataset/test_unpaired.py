"""Two sets of pictures without pairs: where they lie, what is wrong with them, and which two meet in a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data.augment import Augmentation
from i2i.data.batches import loader
from i2i.data.sampler import Draw, StatelessSampler, order, second_seed
from i2i.data.unpaired import UnpairedFolder
from i2i.data.unpaired_source import UnpairedSource
from i2i.errors import I2IError
from i2i.images.card import Pixels

Paint = Callable[[int, int], np.ndarray]
Save = Callable[..., Path]
GRAY = Pixels(colour="gray")


def source(root: Path, *, mode: Any = "crop", flips: Any = (), **settings: Any) -> UnpairedSource:
    return UnpairedSource(root=root, augmentation=Augmentation(size=4, mode=mode, flips=flips), **settings)


def training(root: Path, *, seed: int = 5, **settings: Any) -> UnpairedFolder:
    return source(root, **settings).training_set(value_range=(-1.0, 1.0), seed=seed)


def numbered(save: Save, sources: int, targets: int, *, shape: tuple[int, int] = (4, 4)) -> None:
    """Pictures whose value is their number; those of the target from 100 on."""
    for side, first, count in (("A", 0, sources), ("B", 100, targets)):
        for number in range(count):
            save(f"train/{side}/{number:03d}.png", np.full((*shape, 3), first + number, np.uint8))


def drawn(folder: UnpairedFolder, count: int, *, seed: int = 5) -> list[tuple[int, int]]:
    """The numbers of the pictures that meet, by the values of their pixels."""
    draws = StatelessSampler(len(folder), seed=seed, start=0, stop=count)
    return [(int(a[0, 0, 0]), int(b[0, 0, 0]) - 100) for a, b in (folder[draw] for draw in draws)]


# -- where they lie ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folders", "names", "splits"),
    [
        (["trainA", "trainB", "testA", "testB"], {}, {"train": 2, "test": 2}),
        (["train/A", "train/B", "val/A", "val/B"], {}, {"train": 2, "val": 2}),
        (["train/horses", "train/zebras"], {"source": "zebras", "target": "horses"}, {"train": 2}),
        (["train/cats", "train/dogs", "train/owls"], {"source": "owls", "target": "cats"}, {"train": 2}),
        (["A", "B"], {}, {"train": 2}),
        (["cats", "dogs", "owls"], {"source": "dogs", "target": "owls"}, {"train": 2}),
    ],
)
def test_both_sides_are_found_in_every_layout(
    save: Save, tmp_path: Path, folders: list[str], names: dict[str, str], splits: dict[str, int]
) -> None:
    for number, folder in enumerate(folders):
        save(f"{folder}/deeper/{number}.png", np.full((8, 8, 3), number, np.uint8))
    data = source(tmp_path, **names)
    found = data.scan()
    found.raise_if_bad()
    assert {split: len(pictures) for split, pictures in found.samples.items()} == splits
    chosen = names or {"source": "A", "target": "B"}
    for side in ("source", "target"):
        (picture,) = (picture for picture in found.samples["train"] if picture.side == side)
        assert picture.folder.name.endswith(chosen[side])
        assert f"train/{side}/{picture.name.as_posix()}" in found.digests
    assert len(found.digests) == sum(splits.values())


@pytest.mark.parametrize(
    ("files", "names", "code", "said"),
    [
        (["train/x.png"], {}, "E_LAYOUT", r"without pairs each side has a folder: train/A and train/B \(or other"),
        (["train/cats/x.png", "train/dogs/x.png"], {}, "E_LAYOUT", "--data.source FOLDER --data.target FOLDER"),
        (["cats/x.png"], {}, "E_LAYOUT", "there are no two sides: expected .* found the folders: cats"),
        (["x.png"], {}, "E_LAYOUT", "found the folders: none"),
        (["cats/x.png", "dogs/x.png"], {"source": "owls"}, "E_LAYOUT", "--data.source 'owls' does not exist here"),
        (["trainA/x.png", "trainB/x.txt"], {}, "E_NO_IMAGES", "holds no pictures"),
    ],
)
def test_what_is_no_two_sides_is_refused_with_the_remedy(
    save: Save, tmp_path: Path, files: list[str], names: dict[str, str], code: str, said: str
) -> None:
    for name in files:
        if name.endswith(".png"):
            save(name)
        else:
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).touch()
    with pytest.raises(I2IError, match=said) as caught:
        source(tmp_path, **names).scan()
    assert caught.value.code == code


def test_a_folder_that_is_not_there_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="is not a folder; --data takes the folder that holds the pictures"):
        source(tmp_path / "nowhere").scan()


def test_every_bad_file_of_both_sides_is_listed_at_once(save: Save, tmp_path: Path) -> None:
    numbered(save, 2, 1)
    save("train/B/small.png", np.zeros((3, 9, 3), np.uint8))
    (tmp_path / "train/A/broken.png").write_bytes(b"")
    problems = {(problem.path.name, problem.code) for problem in source(tmp_path).scan().problems}
    assert problems == {("small.png", "E_SIZE"), ("broken.png", "E_EMPTY")}
    assert [problem.code for problem in source(tmp_path, mode="resize").scan().problems] == ["E_EMPTY"]


def test_a_picture_that_is_also_in_the_test_is_told(save: Save, tmp_path: Path) -> None:
    for value, name in enumerate(("trainA/x", "trainB/y", "testA/x", "testB/z")):
        save(f"{name}.png", np.full((8, 8, 3), value, np.uint8))
    assert source(tmp_path).scan().warnings == ()
    save("testB/again.png", np.full((8, 8, 3), 1, np.uint8))
    assert "1 file of val or test is also in train" in source(tmp_path).scan().warnings[0]


def test_photometric_changes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(I2IError, match=r"data\.augmentation\.photometric .* switch it off") as caught:
        UnpairedSource(root=tmp_path, augmentation=Augmentation(photometric=True))
    assert caught.value.code == "E_RECIPE"


# -- which pictures meet -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sources", "targets"), [(7, 3), (3, 7), (5, 5), (1, 4)])
def test_an_epoch_shows_the_larger_side_once_and_the_smaller_one_evenly(
    save: Save, tmp_path: Path, sources: int, targets: int
) -> None:
    numbered(save, sources, targets)
    folder = training(tmp_path)
    larger = max(sources, targets)
    assert len(folder) == larger
    met = drawn(folder, sources * targets * 2)
    counts = Counter(a for a, _ in met), Counter(b for _, b in met)
    # After as many epochs as the smaller side has pictures, both have come out even.
    assert counts == (dict.fromkeys(range(sources), 2 * targets), dict.fromkeys(range(targets), 2 * sources))
    first = [pair[sources < targets] for pair in met[:larger]]
    assert sorted(first) == list(range(larger))


def test_the_two_orders_have_nothing_to_do_with_each_other(save: Save, tmp_path: Path) -> None:
    numbered(save, 6, 6)
    met = drawn(training(tmp_path), 6 * 100)
    apart = Counter(met)
    # 600 meetings over 36 couples: 16.7 each if they are independent; equal orders would make 6 couples of 100.
    assert len(apart) == 36
    assert max(apart.values()) < 40


@pytest.mark.parametrize("sizes", [(4, 40), (40, 4), (40, 40)])
def test_no_order_is_a_part_of_the_others(sizes: tuple[int, int]) -> None:
    # The same seed would draw the smaller side by the first numbers that drew the larger one.
    assert order(second_seed(7), 0, min(sizes)).tolist() != order(7, 0, min(sizes)).tolist()
    assert second_seed(7) not in (7, second_seed(8))


def test_a_sample_is_a_function_of_seed_position_and_index(save: Save, coordinates: Paint, tmp_path: Path) -> None:
    for side, count in (("A", 3), ("B", 5)):
        for number in range(count):
            picture = coordinates(12, 12)
            picture[..., 2] = number
            save(f"train{side}/{number}.png", picture)
    one, two = training(tmp_path), training(tmp_path, cache_megabytes=0)
    draws = list(StatelessSampler(len(one), seed=5, start=0, stop=60))
    forwards = [b"".join(picture.tobytes() for picture in one[draw]) for draw in draws]
    backwards = [b"".join(picture.tobytes() for picture in two[draw]) for draw in reversed(draws)]
    assert backwards[::-1] == forwards
    other = [b"".join(picture.tobytes() for picture in training(tmp_path, seed=6)[draw]) for draw in draws]
    assert sum(a == b for a, b in zip(forwards, other, strict=True)) < 5


def test_both_sides_are_cut_and_flipped_independently(save: Save, coordinates: Paint, tmp_path: Path) -> None:
    for side in "AB":
        save(f"train{side}/x.png", coordinates(12, 12))
    folder = training(tmp_path, flips=("horizontal",))
    corners, flips = [], []
    for position in range(80):
        pictures = folder[Draw(0, position)]
        corners.append(
            tuple(int(value) for picture in pictures for value in (picture[..., 0].min(), picture[..., 1].min()))
        )
        flips.append(tuple(bool(picture[0, 0, 1] > picture[0, 1, 1]) for picture in pictures))
    assert sum(corner[:2] == corner[2:] for corner in corners) < 10  # 81 places: once, were it chance
    assert set(flips) == {(a, b) for a in (False, True) for b in (False, True)}


def test_sides_may_have_other_sizes_and_channels(save: Save, tmp_path: Path) -> None:
    save("trainA/x.png", np.full((5, 9, 3), 0, np.uint8))
    save("trainB/y.png", np.full((20, 6, 3), 255, np.uint8))
    folder = training(tmp_path, mode="jitter", source_pixels=GRAY)
    with loader(folder, batch_size=3, seed=0, start_step=0, stop_step=1) as batches:
        batch = next(batches)
    assert batch.source.shape == (3, 1, 4, 4)
    assert batch.target.shape == (3, 3, 4, 4)
    assert torch.equal(batch.source, torch.full((3, 1, 4, 4), -1.0))
    assert torch.equal(batch.target, torch.full((3, 3, 4, 4), 1.0))


def test_the_memory_is_shared_and_no_picture_is_taken_for_one_of_the_other_side(save: Save, tmp_path: Path) -> None:
    numbered(save, 3, 2)
    folder = training(tmp_path)
    before = folder.cache.free
    folder.preload()
    assert len(folder.cache) == 5
    assert before - folder.cache.free == 5 * 4 * 4 * 3
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    assert sorted(drawn(folder, 6)) == sorted(drawn(folder, 6))
    assert {a for a, _ in drawn(folder, 6)} == {0, 1, 2}
    assert {b for _, b in drawn(folder, 6)} == {0, 1}


def test_workers_make_the_same_batches(save: Save, tmp_path: Path) -> None:
    numbered(save, 3, 2)

    def batches(workers: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        with loader(training(tmp_path), batch_size=2, seed=5, start_step=0, stop_step=4, workers=workers) as made:
            return [tuple(batch) for batch in made]

    alone, worked = batches(0), batches(1)
    assert all(torch.equal(a, b) for one, two in zip(alone, worked, strict=True) for a, b in zip(one, two, strict=True))


# -- what is looked at ---------------------------------------------------------------------------------------------


def test_what_is_looked_at_is_of_the_training_size_and_from_the_other_split(save: Save, tmp_path: Path) -> None:
    for split, value, counts in (("train", 10, (3, 3)), ("val", 20, (4, 6)), ("test", 30, (1, 1))):
        for side, count in zip("AB", counts, strict=True):
            for number in range(count):
                save(f"{split}{side}/{number}.png", np.full((9, 6 + number, 3), value + number, np.uint8))
    looked = source(tmp_path, mode="resize")
    pictures = looked.monitored(looked.scan(), count=16)
    assert [(a.shape, b.shape) for a, b in pictures] == [((4, 4, 3), (4, 4, 3))] * 4  # as many as the smaller side
    assert [int(a[0, 0, 0]) for a, _ in pictures] == [20, 21, 22, 23]
    assert [int(b[0, 0, 0]) for _, b in pictures] == [20, 22, 23, 25]
    assert len(looked.monitored(looked.scan(), count=3)) == 3
    named = source(tmp_path, mode="resize", validation_split="test")
    assert int(named.monitored(named.scan(), count=2)[0][0][0, 0, 0]) == 30
