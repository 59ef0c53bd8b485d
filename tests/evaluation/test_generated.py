"""Samples against a split as sets: which pictures, which conditions, which metrics, and the nearest of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2i.errors import I2IError
from i2i.evaluation.generated import (
    Real,
    compare,
    generated,
    metric_names,
    nearest,
    neighbours,
    neighbours_sheet,
    real_pictures,
    shown,
    source_for,
)
from i2i.evaluation.grids import GAP, HEADER
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.metrics.kid import kernel_distance
from i2i.metrics.suite import Suite
from i2i.runtime.conditions import Asked, drawn
from i2i.runtime.sampler import Sampler, noise

LEVELS = {"train": {"cat": [10, 20], "dog": [200]}, "test": {"cat": [40], "dog": [50, 60], "unlabelled": [90]}}


def card(condition: Condition | None = None, *, side: int = 4) -> ImageCard:
    return ImageCard(
        name="m",
        latent=3,
        condition=condition,
        target=Pixels(colour="gray"),
        sizing=Sizing(rule="fixed", width=side, height=side),
        network=NetworkSpec(type="mlp"),
        method="cgan",
    )


def domains(*names: str) -> Condition:
    return Condition(kind="domains", names=names)


def attributes(*names: str) -> Condition:
    return Condition(kind="attributes", names=names)


class Counted:
    """A session whose pictures are as bright as ten times the domain's number."""

    def __init__(self, card: ImageCard) -> None:
        self.card = card

    def run(self, latents: np.ndarray, *, domain: np.ndarray, condition: None = None) -> np.ndarray:
        return np.broadcast_to(10 * domain[:, None, None, None], (len(latents), 4, 4, 1)).astype(np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Flat pictures of 8x8 in folders named by domain, each of one level."""
    for split, folders in LEVELS.items():
        for folder, levels in folders.items():
            for level in levels:
                path = tmp_path / "data" / split / folder / f"{level}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.full((8, 8), level, np.uint8)).save(path)
    return tmp_path / "data"


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Three flat pictures and a list of two attributes."""
    (tmp_path / "test").mkdir()
    for level in (10, 20, 30):
        Image.fromarray(np.full((4, 4), level, np.uint8)).save(tmp_path / "test" / f"{level}.png")
    lines = ["3", "smile age", "20.png -1 0.5", "10.png 1 0.25", "30.png -1 0.75"]
    (tmp_path / "list_attr.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_pictures_have_the_size_and_the_domain_numbers_of_the_model_and_the_unlabelled_are_left_out(root: Path) -> None:
    told = card(domains("dog", "horse", "cat"))
    real = real_pictures(source_for(told, root), "test", told)
    assert [picture.shape for picture in real.pictures] == [(4, 4, 1)] * 3
    assert [int(picture.max()) for picture in real.pictures] == [40, 50, 60]
    assert real.wanted.domain.tolist() == [2, 0, 0]
    made = generated(Sampler(Counted(told)), real)
    assert [int(picture.max()) for picture in made] == [20, 0, 0]


def test_a_generator_that_is_told_nothing_is_compared_with_all_pictures(root: Path) -> None:
    real = real_pictures(source_for(card(), root), "test", card())
    assert [int(picture.max()) for picture in real.pictures] == [40, 50, 60, 90]
    assert real.wanted == Asked()


def test_codes_that_the_data_do_not_have_are_drawn(root: Path) -> None:
    told = card(attributes("code"))
    real = real_pictures(source_for(card(), root), "test", told)
    assert np.array_equal(real.wanted.condition, drawn(told, 4, seed=0).condition)


def test_attributes_stand_in_the_order_of_the_model(listed: Path) -> None:
    told = card(attributes("age", "smile"))
    real = real_pictures(source_for(told, listed), "test", told)
    assert [int(picture.max()) for picture in real.pictures] == [10, 20, 30]
    assert real.wanted.condition.tolist() == [[0.25, 1], [0.5, 0], [0.75, 0]]
    assert real.wanted.condition.dtype == np.float32


@pytest.mark.parametrize(
    ("condition", "split", "code", "said"),
    [
        (domains("dog", "horse"), "test", "E_CONDITION", "unknown domain 'cat'"),
        (domains("cat", "dog"), "val", "E_LAYOUT", "there is no split 'val', only train, test"),
    ],
)
def test_data_that_do_not_fit_the_model_are_refused(
    root: Path, condition: Condition, split: str, code: str, said: str
) -> None:
    told = card(condition)
    with pytest.raises(I2IError, match=said) as caught:
        real_pictures(source_for(told, root), split, told)
    assert caught.value.code == code


def test_an_attribute_that_is_not_in_the_list_is_refused(listed: Path) -> None:
    told = card(attributes("age", "hat"))
    with pytest.raises(I2IError, match="unknown attribute 'hat'"):
        real_pictures(source_for(told, listed), "test", told)


def test_pictures_of_another_size_and_single_ones_are_refused(root: Path) -> None:
    told, large = card(domains("cat", "dog")), card(domains("cat", "dog"), side=8)
    with pytest.raises(I2IError, match=r"makes \[4, 4, 1\], the pictures are \[8, 8, 1\]"):
        generated(Sampler(Counted(told)), real_pictures(source_for(large, root), "test", told))
    one = Real([np.zeros((4, 4, 1), np.uint8)], Asked(domain=np.zeros(1, np.int64)))
    with pytest.raises(I2IError, match="from two pictures on") as caught:
        generated(Sampler(Counted(told)), one)
    assert caught.value.code == "E_NO_IMAGES"


def test_the_metrics_are_those_of_both_sets_whatever_their_order() -> None:
    def corner(pixels: torch.Tensor) -> torch.Tensor:
        return pixels[:, 0, :2, 0].float() / 255

    random = np.random.default_rng(0)
    samples, real = (list(random.integers(0, 256, (37, 4, 4, 1), np.uint8)) for _ in range(2))
    done: list[int] = []
    found = compare(samples, real, suite=Suite(["kid"], pixels=card().target, features=corner), progress=done.append)
    a, b = (corner(torch.from_numpy(np.stack(pictures))) for pictures in (samples, real[::-1]))
    assert found.metrics == {"kid": pytest.approx(kernel_distance(a, b))}
    assert (found.n, sum(done), found.images) == (37, 37, ())


def test_metrics_of_sets_are_the_usual_ones_and_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.evaluation.generated.installed", lambda: True)
    assert metric_names(card()) == ("gradient", "spectrum", "checkerboard", "kid")
    assert metric_names(card(), ["kid"]) == ("kid",)
    with pytest.raises(I2IError, match="psnr compares a picture with its answer") as caught:
        metric_names(card(), ["psnr"])
    assert caught.value.code == "E_RECIPE"
    with pytest.raises(I2IError, match="unknown metric 'kidd'; did you mean 'kid'"):
        metric_names(card(), ["kidd"])
    labels = card().model_copy(update={"target": Pixels(colour="labels", palette=((0, 0, 0), (9, 9, 9)))})
    with pytest.raises(I2IError, match="no metric compares sets of labels"):
        metric_names(labels)


def test_without_the_feature_network_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.evaluation.generated.installed", lambda: False)
    with pytest.raises(I2IError, match=r'pip install "i2i\[metrics\]"') as caught:
        metric_names(card())
    assert caught.value.code == "E_MISSING_PACKAGE"
    assert metric_names(card(), ["gradient"]) == ("gradient",)


def test_the_nearest_has_the_least_sum_of_squares_and_its_distance_is_in_levels() -> None:
    pictures = [np.full((2, 2, 3), level, np.uint8) for level in (0, 100, 255)]
    candidates = [np.full((2, 2, 3), level, np.uint8) for level in (250, 97, *[120] * 80, 5, 103)]
    candidates[-2][0, 0, 0] = 11  # 11 squared and 11 times 5 squared of 12 values
    found = nearest(pictures, iter(candidates))
    assert [int(picture[1, 1, 1]) for picture in found.pictures] == [5, 97, 250]
    assert found.distances == pytest.approx([((121 + 11 * 25) / 12) ** 0.5, 3, 5])


def test_neighbours_are_looked_for_among_all_training_pictures_neither_flipped_nor_cached(root: Path) -> None:
    told = card(domains("cat", "dog"))
    samples = [np.full((4, 4, 1), level, np.uint8) for level in (16, 20, 199)]
    found = neighbours(samples, source_for(told, root))
    assert [int(picture[0, 0, 0]) for picture in found.pictures] == [20, 20, 200]
    assert found.distances == pytest.approx([4, 0, 1])


def test_the_sheet_has_each_sample_at_the_left_of_its_neighbour() -> None:
    samples = [np.full((20, 20, 1), level, np.uint8) for level in range(5)]
    found = nearest(samples, [np.full((20, 20, 1), level, np.uint8) for level in (100, 3)])
    pixels, side = neighbours_sheet(samples, found), 20 + GAP
    assert pixels.shape == (HEADER + 2 * side + GAP, 8 * side + GAP, 3)
    cells = pixels[HEADER + GAP :: side, GAP::side, 0]
    assert cells.tolist() == [[0, 3, 1, 3, 2, 3, 3, 3], [4, 3, 255, 255, 255, 255, 255, 255]]


def test_the_samples_that_are_shown_are_spread_over_all_of_them() -> None:
    assert shown([*noise(16, 1, seed=0)]) == [*noise(16, 1, seed=0)]
    assert shown(list(range(31))) == list(range(0, 31, 2))
    assert shown([7]) == [7]


def test_neighbours_need_training_pictures(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "test/a.png")
    told = card(None)
    with pytest.raises(I2IError, match="split 'train', which is not there"):
        neighbours([np.zeros((4, 4, 1), np.uint8)], source_for(told, tmp_path))


def test_codes_that_a_model_has_found_by_itself_need_no_list(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "test/a.png")
    told = card(Condition(kind="attributes", names=("code_0",)))
    assert source_for(told, tmp_path).condition is None
    assert list(source_for(told, tmp_path).pictures()) == ["test"]
