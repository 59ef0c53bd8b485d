"""Pictures of one kind: where they lie, what is wrong with them, and what a training sample of them is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data.augment import Augmentation
from i2i.data.images_source import ImagesSource
from i2i.data.sampler import Draw
from i2i.errors import I2IError
from i2i.evaluation.generated import real_pictures
from i2i.images.card import ImageCard, NetworkSpec, Pixels, Sizing

Paint = Callable[[int, int], np.ndarray]
Save = Callable[..., Path]
RGB = Pixels()


def source(root: Path, *, pixels: Pixels = RGB, validation: str | None = None, **settings: Any) -> ImagesSource:
    augmentation = Augmentation(**({"size": 4, "mode": "crop", "flips": ()} | settings))
    return ImagesSource(root=root, target_pixels=pixels, augmentation=augmentation, validation_split=validation)


def test_pictures_without_splits_are_all_for_training(save: Save, tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "deeper/c.png", ".hidden.png"):
        save(name)
    found = source(tmp_path).scan()
    found.raise_if_bad()
    assert [path.as_posix() for path in found.samples["train"]] == ["a.png", "b.png", "deeper/c.png"]
    assert sorted(found.digests) == ["train/a.png", "train/b.png", "train/deeper/c.png"]


def test_splits_are_kept_apart_and_named_in_the_digests(save: Save, tmp_path: Path) -> None:
    save("train/a.png", np.zeros((8, 8, 3), np.uint8))
    save("val/a.png", np.ones((8, 8, 3), np.uint8))
    found = source(tmp_path).scan()
    assert {split: len(names) for split, names in found.samples.items()} == {"train": 1, "val": 1}
    assert sorted(found.digests) == ["train/a.png", "val/a.png"]
    assert found.warnings == ()


def test_a_picture_that_is_in_two_splits_is_told(save: Save, tmp_path: Path) -> None:
    save("train/a.png")
    save("test/b.png")
    assert "1 file of val or test is also in train" in source(tmp_path).scan().warnings[0]


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        (["a.png", "train/b.png"], "E_LAYOUT", "holds pictures of its own beside train/"),
        (["train/b.png", "val/notes.txt"], "E_NO_IMAGES", "val: holds no pictures"),
        (["notes.txt"], "E_NO_IMAGES", "holds no pictures"),
    ],
)
def test_a_folder_that_could_mean_two_things_or_nothing_is_refused(
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


def test_every_bad_file_is_listed_at_once_in_every_split(save: Save, tmp_path: Path) -> None:
    save("train/good.png")
    save("train/small.png", np.zeros((3, 9, 3), np.uint8))
    save("val/small.png", np.zeros((9, 3, 3), np.uint8))
    (tmp_path / "train/broken.png").write_bytes(b"")
    problems = {
        (problem.path.relative_to(tmp_path).as_posix(), problem.code) for problem in source(tmp_path).scan().problems
    }
    assert problems == {("train/small.png", "E_SIZE"), ("val/small.png", "E_SIZE"), ("train/broken.png", "E_EMPTY")}
    resized = source(tmp_path, mode="resize").scan().problems
    assert [problem.code for problem in resized] == ["E_EMPTY"]


def test_a_colour_that_the_palette_does_not_name_is_a_problem(save: Save, tmp_path: Path) -> None:
    save("a.png", np.full((8, 8, 3), 7, np.uint8))
    labels = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0)))
    assert [problem.code for problem in source(tmp_path, pixels=labels).scan().problems] == ["E_PALETTE"]


def test_a_sample_is_a_window_of_the_picture_that_its_index_names(
    coordinates: Paint, save: Save, tmp_path: Path
) -> None:
    for blue in range(3):
        picture = coordinates(9, 7)
        picture[..., 2] = blue
        save(f"{blue}.png", picture)
    samples = source(tmp_path, weight_by_area=False).training_set(value_range=(-1.0, 1.0), seed=0)
    assert len(samples) == 3
    corners = set()
    for position in range(60):
        (cut,) = samples[Draw(position % 3, position)]
        top, left = (int(value) for value in cut[0, 0, :2])
        assert np.array_equal(cut[..., :2], coordinates(9, 7)[top : top + 4, left : left + 4, :2])
        assert (cut[..., 2] == position % 3).all()
        corners.add((top, left))
    assert len(corners) > 12  # of 6 x 4 places
    assert np.array_equal(samples[Draw(1, 5)][0], samples[Draw(1, 5)][0])


def test_large_pictures_take_part_as_often_as_crops_fit_into_them(save: Save, tmp_path: Path) -> None:
    save("a.png", np.zeros((8, 8, 3), np.uint8))
    save("b.png", np.zeros((4, 5, 3), np.uint8))
    assert len(source(tmp_path).training_set(value_range=(-1.0, 1.0), seed=0)) == 4 + 1


def test_a_batch_is_scaled_to_the_range_of_the_card(save: Save, tmp_path: Path) -> None:
    save("a.png", np.full((4, 4, 3), 255, np.uint8))
    samples = source(tmp_path).training_set(value_range=(-1.0, 1.0), seed=0)
    batch = samples.scale(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 4, 4, 3))
    assert batch.image.shape == (2, 3, 4, 4)
    assert [float(picture.mean()) for picture in batch.image] == [-1.0, 1.0]


def test_what_is_looked_at_is_of_the_training_size_and_from_the_other_split(save: Save, tmp_path: Path) -> None:
    for split, value, count in (("train", 10, 3), ("val", 20, 5), ("test", 30, 1)):
        for number in range(count):
            save(f"{split}/{number}.png", np.full((9, 6 + number, 3), value, np.uint8))
    looked = source(tmp_path, mode="resize")
    pictures = looked.monitored(looked.scan(), count=4)
    assert [picture.shape for picture in pictures] == [(4, 4, 3)] * 4
    assert {int(picture[0, 0, 0]) for picture in pictures} == {20}
    named = source(tmp_path, mode="resize", validation="test")
    assert {int(picture[0, 0, 0]) for picture in named.monitored(named.scan(), count=2)} == {30}
    absent = source(tmp_path, validation="holdout")
    with pytest.raises(I2IError, match="no split 'holdout'"):
        absent.monitored(absent.scan(), count=2)


def test_pictures_are_looked_at_upright_and_learnt_from_turned(save: Save, coordinates: Paint, tmp_path: Path) -> None:
    picture = coordinates(16, 16)
    save("a.png", picture)
    turned = source(tmp_path, size=16, mode="resize", turn=90, zoom=0.5)
    (shown,) = turned.monitored(turned.scan(), count=1)
    assert np.array_equal(shown, picture)
    (learnt,) = turned.training_set(value_range=(-1.0, 1.0), seed=0)[Draw(0, 0)]
    assert np.abs(learnt.astype(int) - picture).max() > 2
    sizing = Sizing(rule="fixed", width=16, height=16)
    card = ImageCard(name="m", latent=3, sizing=sizing, network=NetworkSpec(type="mlp"), method="gan")
    real = real_pictures(turned, "train", card)
    assert np.array_equal(real.pictures[0], picture)


def test_photometric_changes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(I2IError, match=r"data\.augmentation\.photometric changes a source") as caught:
        source(tmp_path, photometric=True)
    assert caught.value.code == "E_RECIPE"
