"""Translators between domains measured: what the judge reads, distance, retrieval, the way there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.cli.evaluate_targets import _training
from i2i.data.attributes_source import AttributesSource
from i2i.data.augment import Augmentation
from i2i.data.domains_source import DomainsSource
from i2i.errors import I2IError
from i2i.evaluation.between import Labelled, chosen_metrics, evaluate_targets, labelled
from i2i.evaluation.targets import Told
from i2i.images.card import Condition, ImageCard, NetworkSpec
from i2i.metrics.kid import kernel_distance
from tests.runtime.folders import picture

DOMAINS = Condition(kind="domains", names=("dark", "light"))
FACES = Condition(
    kind="attributes", names=("left", "right", "top", "bottom"), exclusive_groups=(("top", "bottom"),), ranges=()
)


def card(condition: Condition) -> ImageCard:
    return ImageCard(name="tiny", condition=condition, network=NetworkSpec(type="stargan"), method="stargan")


class Shift:
    """A session: a picture of domain `dark` is 100 levels below that of `light`; `off` levels are added to all."""

    def __init__(self, off: int = 0, *, works: bool = True) -> None:
        self.off, self.works = off, works

    def run(self, image: np.ndarray, *, domain: Any = None, condition: Any = None) -> np.ndarray:
        if not self.works:
            return image
        is_light = image[:, 0, 0, 0] >= 128
        change = 100 * (domain - is_light.astype(np.int64)) + self.off
        return (image + change[:, None, None, None]).astype(np.uint8)


def drawings(count: int, seed: int = 0, *, named: bool = True) -> Labelled:
    """Two pictures of each name, the light one 100 levels above the dark one; the first corner is below 20 or not."""
    draws = np.random.default_rng(seed)
    told, names = [], []
    for number in range(count):
        dark = draws.integers(20, 120, (16, 16, 3)).astype(np.uint8)
        dark[0, 0] = 20
        dark[0, 1] = 20 + number  # what it is recognised by
        told += [Told(dark, np.int64(0)), Told(dark + np.uint8(108), np.int64(1))]
        names += [f"{number}", f"{number}" if named else f"other {number}"]
    return Labelled(told, names)


def second(pixels: torch.Tensor) -> torch.Tensor:
    """A feature network of two numbers: the second value of the first row, and what makes equal directions differ."""
    value = pixels[:, 0, 1, 0].float() % 100
    return torch.stack([value, 100 - value], 1)


def measured(session: Any, *, test: Labelled | None = None, metrics: tuple[str, ...] = (), **options: Any) -> Any:
    return evaluate_targets(
        session,
        card(DOMAINS),
        train=drawings(20, 1),
        test=test or drawings(9),
        metrics=chosen_metrics(metrics, features=True),
        features=second,
        judge_steps=40,
        **options,
    )


def test_a_translator_that_does_its_work_is_read_as_asked_and_finds_its_partners() -> None:
    scores = measured(Shift(off=8))
    assert scores.n == 18
    assert list(scores.targets) == ["dark", "light"]
    assert scores.means["accuracy"] == scores.means["real_accuracy"] == 1
    assert scores.targets["light"]["top1"] == 1
    # There and back is 16 levels off: 8 each way.
    assert scores.targets["dark"]["cycle_psnr"] == pytest.approx(10 * np.log10(255**2 / 16**2), abs=1e-4)
    assert scores.means["cycle_psnr"] == pytest.approx(scores.targets["dark"]["cycle_psnr"], abs=1e-4)


def test_a_translator_that_does_nothing_is_not_read_as_asked_and_is_as_near_as_the_untranslated_pictures() -> None:
    scores = measured(Shift(works=False))
    assert scores.means["accuracy"] == 0
    assert scores.means["real_accuracy"] == 1
    for name in ("dark", "light"):
        assert scores.targets[name]["top1"] == scores.targets[name]["identity_top1"]
        assert scores.targets[name]["top5"] == scores.targets[name]["identity_top5"]


def test_distances_are_those_of_the_translations_and_the_real_pictures_of_the_domain() -> None:
    test = drawings(4)
    lights = torch.from_numpy(np.stack([told.picture for told in test.told[1::2]]))
    darks = torch.from_numpy(np.stack([told.picture for told in test.told[::2]]))
    scores = measured(Shift(off=3), test=test, metrics=("kid",))
    assert scores.targets == {
        "dark": {"kid": pytest.approx(kernel_distance(second(lights - 97), second(darks)))},
        "light": {"kid": pytest.approx(kernel_distance(second(darks + 103), second(lights)))},
    }
    assert scores.means == {"kid": pytest.approx(sum(found["kid"] for found in scores.targets.values()) / 2)}


def test_pictures_without_partners_of_their_name_cannot_be_found_again() -> None:
    scores = measured(Shift(), test=drawings(5, named=False), metrics=("top1", "kid"))
    assert set(scores.targets["dark"]) == {"kid"}


def test_without_training_pictures_nothing_is_judged() -> None:
    scores = evaluate_targets(
        Shift(), card(DOMAINS), train=None, test=drawings(3), metrics=("accuracy", "cycle_psnr"), features=second
    )
    assert set(scores.means) == {"cycle_psnr"}


MIDDLE = slice(4, 12)
BARS = [(MIDDLE, slice(3)), (MIDDLE, slice(13, 16)), (slice(3), MIDDLE), (slice(13, 16), MIDDLE)]


class Painter:
    """A session: paints a white or a black bar at each side that it is told of, and leaves those alone to be kept.

    What is wrong with it, if it is `clumsy`: changing the left blackens the right.
    """

    def __init__(self, *, clumsy: bool = False) -> None:
        self.clumsy = clumsy

    def run(self, image: np.ndarray, *, domain: Any = None, condition: Any = None) -> np.ndarray:
        result = image.copy()
        for one, row in zip(result, condition, strict=True):
            for bar, value in zip(BARS, row, strict=True):
                if not np.isnan(value):
                    one[bar] = 255 * value
            if self.clumsy and not np.isnan(row[0]):
                one[BARS[1]] = 0
        return result


def faces(count: int, seed: int) -> Labelled:
    draws = np.random.default_rng(seed)
    known = np.zeros((count, 4), np.float32)
    known[:, :2] = draws.integers(0, 2, (count, 2))
    known[np.arange(count), 2 + draws.integers(0, 2, count)] = 1
    blank = draws.integers(0, 60, (count, 16, 16, 3)).astype(np.uint8)
    made = Painter().run(blank, condition=known)
    return Labelled([Told(image, row) for image, row in zip(made, known, strict=True)], [str(n) for n in range(count)])


def test_attributes_are_switched_both_ways_and_the_others_are_to_stay() -> None:
    scores = evaluate_targets(
        Painter(clumsy=True),
        card(FACES),
        train=faces(80, 0),
        test=faces(30, 1),
        metrics=("accuracy", "kid"),
        features=lambda pixels: pixels[:, 8, [0, -1], 0].float() / 255,
        judge_steps=100,
    )
    assert scores.means["real_accuracy"] > 0.97
    assert all(found["accuracy"] > 0.97 for found in scores.targets.values())
    # It keeps top and bottom, and loses the half of the bars at the right that were there.
    right = np.mean([told.known[1] for told in faces(30, 1).told])
    assert 0.3 < right < 0.7
    assert scores.targets["left"]["kept"] == pytest.approx(1 - right / 3, abs=0.03)
    assert scores.targets["right"]["kept"] > 0.97
    assert scores.targets["top"]["kept"] > 0.97
    assert set(scores.targets["top"]) == {"accuracy", "real_accuracy", "kept", "kid"}


@pytest.mark.parametrize("name", ["psnr", "acuracy"])
def test_other_metrics_are_refused(name: str) -> None:
    with pytest.raises(I2IError, match="unknown metric of translations between domains") as caught:
        chosen_metrics([name], features=True)
    assert caught.value.code == "E_RECIPE"
    assert chosen_metrics([], features=False) == ("accuracy", "cycle_psnr")


SMALL = Augmentation(size=16, mode="resize")


def test_pictures_come_with_their_number_on_the_card_and_their_name(tmp_path: Path) -> None:
    for domain, level in (("light", 200), ("dark", 10)):
        for number in range(2):
            picture(tmp_path / f"train/{domain}/{number}.png", level + number, (16, 16))
            picture(tmp_path / f"test/{domain}/pic{number}.png", level + number, (16, 16))
    picture(tmp_path / "test/unlabelled/x.png", 99, (16, 16))
    turned = card(Condition(kind="domains", names=("light", "more", "dark")))
    found = labelled(DomainsSource(root=tmp_path, augmentation=SMALL), "test", turned)
    assert found.names == ["pic0", "pic1"] * 2
    assert [(int(told.picture[0, 0, 0]), int(told.known)) for told in found.told] == [
        *((10, 2), (11, 2), (200, 0), (201, 0))
    ]
    with pytest.raises(I2IError, match="has attributes: left, right, top, bottom; these data do not tell them"):
        labelled(DomainsSource(root=tmp_path, augmentation=SMALL), "test", card(FACES))


def test_attributes_come_in_the_order_of_the_card(tmp_path: Path) -> None:
    rows = ["2", "smile left top", "train/a.png 1 -1 1", "test/b.png -1 1 1"]
    (tmp_path / "list_attr.txt").write_text("\n".join(rows) + "\n")
    picture(tmp_path / "train/a.png", 10, (16, 16))
    picture(tmp_path / "test/b.png", 20, (16, 16))
    two = card(Condition(kind="attributes", names=("left", "smile")))
    (told,) = labelled(AttributesSource(root=tmp_path, augmentation=SMALL), "test", two).told
    assert told.known.tolist() == [1, 0]


def test_the_judge_learns_from_so_many_pictures_evenly_spread_and_no_other_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        domain = "dark" if number < 4 else "light"
        picture(tmp_path / f"train/{domain}/{number}.png", 10 * number, (8, 8))
    for number, domain in ((1, "dark"), (3, "dark"), (4, "light"), (6, "light")):
        (tmp_path / f"train/{domain}/{number}.png").write_bytes(b"no picture")
    monkeypatch.setattr("i2i.evaluation.judge.MOST", 4)
    found = _training(DomainsSource(root=tmp_path, augmentation=SMALL), card(DOMAINS), ("accuracy",))
    assert found is not None
    assert found.names == ["0", "2", "5", "7"]  # 0, 7/3, 14/3 and 7, rounded
    assert [(int(one.picture[0, 0, 0]), int(one.known)) for one in found.told] == [(0, 0), (20, 0), (50, 1), (70, 1)]
