"""Samples of a folder of pairs: cropped, scaled, and a function of the seed, the position and the index alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data import DATASETS
from i2i.data.augment import Augmentation
from i2i.data.batches import loader
from i2i.data.cache import PictureCache
from i2i.data.paired import Pair, PairedBatch, PairedFolder, find_pairs
from i2i.data.paired_scan import scan
from i2i.data.sampler import Draw, StatelessSampler
from i2i.errors import I2IError
from i2i.evaluation.evaluate import read_samples
from i2i.images.card import Pixels

Save = Callable[..., Path]
Paint = Callable[[int, int], np.ndarray]
LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 255, 255)))


def folder(root: Path, **changes: Any) -> PairedFolder:
    settings: dict[str, Any] = {
        "source_pixels": Pixels(),
        "target_pixels": Pixels(),
        "value_range": (-1.0, 1.0),
        "augmentation": Augmentation(mode="crop", size=16, flips=()),
        "seed": 5,
    }
    return PairedFolder(find_pairs(root, split="train"), **(settings | changes))


@pytest.fixture
def painted(save: Save, coordinates: Paint, tmp_path: Path) -> Path:
    """Two pairs of 40 x 60 whose target is the source's complement; blue says which pair it is."""
    for number in range(2):
        picture = coordinates(40, 60)
        picture[..., 2] = 100 + number
        save(f"train/A/{number}.png", picture)
        save(f"train/B/{number}.png", 255 - picture)
    return tmp_path


def test_a_sample_is_the_same_window_of_both_sides(painted: Path) -> None:
    dataset = folder(painted)
    for draw in StatelessSampler(len(dataset), seed=5, start=0, stop=40):
        source, target = dataset[draw]
        assert source.shape == target.shape == (16, 16, 3)
        assert source.dtype == target.dtype == np.uint8
        assert np.array_equal(target, 255 - source)
        assert source[0, 0, 2] == 100 + dataset.item_of(draw.index)


def test_a_sample_is_a_function_of_seed_position_and_index(painted: Path) -> None:
    one, two = folder(painted), folder(painted, cache_bytes=0)
    draws = list(StatelessSampler(len(one), seed=5, start=0, stop=30))
    forwards = [one[draw][0].tobytes() for draw in draws]
    assert [two[draw][0].tobytes() for draw in reversed(draws)] == forwards[::-1]
    other_position = [one[Draw(draw.index, draw.position + 1)][0].tobytes() for draw in draws]
    other_seed = [folder(painted, seed=6)[draw][0].tobytes() for draw in draws]
    assert sum(a == b for a, b in zip(forwards, other_position, strict=True)) < 5
    assert sum(a == b for a, b in zip(forwards, other_seed, strict=True)) < 5


def test_an_epoch_takes_each_large_picture_once_for_every_crop_of_its_area(save: Save, tmp_path: Path) -> None:
    for name, shape in (("a_big", (64, 64, 3)), ("b_small", (16, 16, 3)), ("c_wide", (16, 50, 3))):
        save(f"train/A/{name}.png", np.zeros(shape, np.uint8))
        save(f"train/B/{name}.png", np.zeros(shape, np.uint8))
    dataset = folder(tmp_path)
    # 64 * 64 / 16**2 = 16, 1, and 800 / 256 = 3.1
    assert len(dataset) == 20
    assert [dataset.item_of(index) for index in range(20)] == [0] * 16 + [1] + [2] * 3
    once = folder(tmp_path, augmentation=Augmentation(mode="crop", size=16, weight_by_area=False))
    assert [once.item_of(index) for index in range(len(once))] == [0, 1, 2]
    assert len(folder(tmp_path, augmentation=Augmentation(mode="resize", size=16))) == 3


def test_halves_of_one_picture_become_source_and_target(save: Save, coordinates: Paint, tmp_path: Path) -> None:
    picture = coordinates(8, 20)
    save("train/x.png", picture)
    for source, first in (("left", 0), ("right", 10)):
        pairs = find_pairs(tmp_path, split="train", source=source)
        dataset = PairedFolder(
            pairs,
            source_pixels=Pixels(),
            target_pixels=Pixels(colour="gray"),
            value_range=(-1.0, 1.0),
            augmentation=Augmentation(mode="crop", size=8, flips=()),
            seed=0,
        )
        ours, theirs = dataset.whole(0)
        assert ours[0, :, 1].tolist() == list(range(first, first + 10))
        assert theirs.shape == (8, 10, 1)
        assert len(dataset) == 1  # 8 * 10 / 64


class Negative(Pair):
    """A pair whose source is computed: the negative of its target."""

    __slots__ = ()

    def join(self, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 255 - source, target


def test_a_computed_side_is_computed_for_whoever_reads_it(painted: Path) -> None:
    pairs = [Negative(file.stem, file, file) for file in sorted((painted / "train/A").iterdir())]
    pixels = {"source_pixels": Pixels(), "target_pixels": Pixels()}
    augmentation = Augmentation(mode="crop", size=16, flips=())
    dataset = PairedFolder(pairs, **pixels, value_range=(-1.0, 1.0), augmentation=augmentation, seed=5)
    drawn = [dataset[draw] for draw in StatelessSampler(len(dataset), seed=5, start=0, stop=4)]
    samples = read_samples(pairs, source=Pixels(), target=Pixels())
    turned = pairs[0]._replace(name="turned").read(**pixels)
    for source, target in [*drawn, dataset.whole(1), turned, *(sample[1:] for sample in samples)]:
        assert np.array_equal(source, 255 - target)
    seen = scan({"train": pairs}, **pixels)
    seen.raise_if_bad()
    assert len(seen.samples["train"]) == 2


def batch_of(dataset: PairedFolder, count: int) -> PairedBatch:
    with loader(dataset, batch_size=count, seed=0, start_step=0, stop_step=1) as batches:
        batch: PairedBatch = next(batches)
    return batch


def test_a_batch_is_scaled_to_the_range_of_the_card(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png", np.full((4, 4, 3), 51, np.uint8))
    save("train/B/x.png", np.full((4, 4, 3), 255, np.uint8))
    dataset = folder(tmp_path, augmentation=Augmentation(mode="crop", size=4), value_range=(0.0, 1.0))
    batch = batch_of(dataset, 3)
    assert batch.source.shape == batch.target.shape == (3, 3, 4, 4)
    assert batch.source.dtype == torch.float32
    assert torch.allclose(batch.source, torch.tensor(0.2))
    assert torch.equal(batch.target, torch.ones(3, 3, 4, 4))


@pytest.mark.parametrize("colour", ["gray", "rgb", "rgba"])
def test_each_side_has_its_own_number_of_channels(colour: Any, save: Save, tmp_path: Path) -> None:
    save("train/A/x.png")
    save("train/B/x.png", np.zeros((8, 8, 3), np.uint8))
    pixels = Pixels(colour=colour)
    dataset = folder(
        tmp_path, augmentation=Augmentation(mode="jitter", size=8), source_pixels=pixels, target_pixels=LABELS
    )
    batch = batch_of(dataset, 2)
    assert batch.source.shape == (2, pixels.channels, 8, 8)
    assert batch.target.shape == (2, 2, 8, 8)
    assert (batch.target[:, 0] == 1).all()  # black, the first colour of the palette
    assert (batch.target[:, 1] == -1).all()


def test_a_sample_can_be_written_to_without_harm(painted: Path) -> None:
    dataset = folder(painted, augmentation=Augmentation(mode="crop", size=(40, 60), flips=()))
    before = dataset[Draw(0, 0)]
    for picture in dataset[Draw(0, 0)]:
        picture[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip(dataset[Draw(0, 0)], before, strict=True))


def test_the_cache_stays_within_its_bytes_and_changes_nothing(painted: Path) -> None:
    one_pair = 2 * 40 * 60 * 3
    dataset = folder(painted, cache_bytes=one_pair + 10)
    draws = [Draw(index, index) for index in range(len(dataset))]
    samples = [dataset[draw][0].tobytes() for draw in draws]
    assert len(dataset.cache) == 1
    assert dataset.cache.free == 10
    uncached = folder(painted, cache_bytes=0)
    assert samples == [uncached[draw][0].tobytes() for draw in draws]
    assert len(uncached.cache) == 0


def test_cached_pictures_are_read_from_the_disk_once(painted: Path) -> None:
    dataset = folder(painted)
    dataset.preload()
    for path in painted.rglob("*.png"):
        path.unlink()
    assert dataset[Draw(0, 0)][0].shape == (16, 16, 3)


def test_workers_share_out_the_memory_that_is_still_free() -> None:
    cache = PictureCache(1000)
    pictures = (np.zeros(100, np.uint8), np.zeros(200, np.uint8))
    cache.get(0, lambda: pictures)
    cache.share(2)
    assert cache.free == 350


def test_sides_of_different_sizes_are_refused_with_the_remedy(save: Save, tmp_path: Path) -> None:
    save("train/A/x.png", np.zeros((16, 20, 3), np.uint8))
    save("train/B/x.png", np.zeros((16, 22, 3), np.uint8))
    with pytest.raises(I2IError, match=r"20x16 pixels but its partner .* is 22x16 pixels; bring both") as caught:
        folder(tmp_path)[Draw(0, 0)]
    assert caught.value.code == "E_PAIR_SIZE"


def test_a_picture_with_both_sides_and_an_odd_width_is_refused(save: Save, tmp_path: Path) -> None:
    save("train/x.png", np.zeros((16, 33, 3), np.uint8))
    with pytest.raises(I2IError, match="33x16 pixels: a picture with both sides in it has an even width") as caught:
        folder(tmp_path).whole(0)
    assert caught.value.code == "E_PAIR_SIZE"


def test_no_pairs_make_no_data_set() -> None:
    with pytest.raises(I2IError, match="at least one sample"):
        PairedFolder(
            [],
            source_pixels=Pixels(),
            target_pixels=Pixels(),
            value_range=(-1.0, 1.0),
            augmentation=Augmentation(),
            seed=0,
        )


def test_every_entry_of_the_table_can_be_imported() -> None:
    assert all(isinstance(DATASETS[name], type) for name in DATASETS)
