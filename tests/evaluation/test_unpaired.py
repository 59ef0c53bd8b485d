"""What is looked at while two sets are translated into each other: there and back, and the distance of the sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.evaluation.grids import GAP, HEADER
from i2i.evaluation.unpaired import UnpairedMonitor
from i2i.images.card import ImageCard, NetworkSpec, Pixels, Sizing
from i2i.metrics.kid import kernel_distance

GRAY = Pixels(colour="gray")
LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0), (0, 0, 255)))
RGB = Pixels()


class Levels(nn.Module):
    """Adds so many levels of 255 to every value, and repeats or drops planes as asked."""

    def __init__(self, levels: float, *, planes: int = 3) -> None:
        super().__init__()
        self.change = nn.Parameter(torch.tensor(levels / 127.5))
        self.planes = planes

    def forward(self, planes: Tensor) -> Tensor:
        return (
            planes[:, :1].expand(-1, self.planes, -1, -1) + self.change
            if self.planes != planes.shape[1]
            else (planes + self.change)
        )


def cards(a: Pixels = RGB, b: Pixels = RGB) -> dict[str, ImageCard]:
    plain = ImageCard(name="tiny", network=NetworkSpec(type="resnet"), method="cyclegan", sizing=Sizing())
    return {
        "a2b": plain.model_copy(update={"source": a, "target": b}),
        "b2a": plain.model_copy(update={"source": b, "target": a}),
    }


def pictures(count: int, *, channels: tuple[int, int] = (3, 3)) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures of a between 50 and 100, of b between 150 and 200."""
    rng = np.random.default_rng(0)
    return [
        (rng.integers(50, 100, (8, 9, channels[0]), np.uint8), rng.integers(150, 200, (8, 9, channels[1]), np.uint8))
        for _ in range(count)
    ]


def corners(pixels: torch.Tensor) -> torch.Tensor:
    """A feature network of two numbers: the first and the last red value."""
    return pixels[:, [0, -1], [0, -1], 0].float() / 255


# To b adds 20 levels, back takes 17 away: a round trip is 3 levels off.
NETWORKS: Mapping[str, nn.Module] = {"a2b": Levels(20), "b2a": Levels(-17)}


def monitor(count: int = 4, **options: Any) -> UnpairedMonitor:
    return UnpairedMonitor(pictures(count), cards=cards(), features=corners, **options)


def test_the_grid_shows_each_side_its_translation_and_its_round_trip() -> None:
    pixels = monitor(shown=2).sample(NETWORKS)
    assert pixels.shape == (HEADER + 2 * (8 + GAP) + GAP, 6 * (9 + GAP) + GAP, 3)
    for row, (a, b) in enumerate(pictures(2)):
        for column, expected in enumerate((a, a + 20, a + 3, b, b - 17, b + 3)):
            top, left = HEADER + GAP + row * (8 + GAP), GAP + column * (9 + GAP)
            assert np.array_equal(pixels[top : top + 8, left : left + 9], expected), (row, column)


def test_round_trips_are_compared_with_where_they_began_and_translations_with_the_other_set() -> None:
    found = monitor().measure(NETWORKS)
    three_off = pytest.approx(10 * np.log10(255**2 / 9), abs=1e-4)  # the library's logarithm is float32
    a, b = (torch.from_numpy(np.stack(side)) for side in zip(*pictures(4), strict=True))
    there, back = kernel_distance(corners(a + 20), corners(b)), kernel_distance(corners(b - 17), corners(a))
    assert found == {
        "cycle_psnr_a": three_off,
        "cycle_psnr_b": three_off,
        "identity_psnr_a": pytest.approx(10 * np.log10(255**2 / 17**2), abs=1e-4),
        "identity_psnr_b": pytest.approx(10 * np.log10(255**2 / 20**2), abs=1e-4),
        "kid_a2b": pytest.approx(there),
        "kid_b2a": pytest.approx(back),
        "kid": pytest.approx((there + back) / 2),
    }
    assert there != pytest.approx(back)


def test_only_the_metrics_that_are_named_are_measured() -> None:
    assert monitor(metrics=["l1"]).measure(NETWORKS) == {
        "cycle_l1_a": pytest.approx(3 / 255),
        "cycle_l1_b": pytest.approx(3 / 255),
        "identity_l1_a": pytest.approx(17 / 255),
        "identity_l1_b": pytest.approx(20 / 255),
    }
    assert set(monitor(metrics=["l1"], best="kid").measure(NETWORKS)) == {
        *("cycle_l1_a", "cycle_l1_b", "identity_l1_a", "identity_l1_b", "kid_a2b", "kid_b2a", "kid")
    }


def test_without_the_feature_network_only_single_pictures_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.evaluation.unpaired.installed", lambda: False)
    looked = UnpairedMonitor(pictures(2), cards=cards())
    assert set(looked.measure(NETWORKS)) == {f"{kind}_psnr_{side}" for kind in ("cycle", "identity") for side in "ab"}


def test_each_side_is_measured_as_what_it_is() -> None:
    rng = np.random.default_rng(0)
    painted = np.array(LABELS.palette, np.uint8)[rng.integers(0, 3, (8, 9))]
    looked = UnpairedMonitor(
        [(painted, picture) for picture, _ in pictures(3, channels=(1, 3))],
        cards=cards(LABELS, GRAY),
        features=corners,
    )
    found = looked.measure({"a2b": Levels(0, planes=1), "b2a": Levels(0, planes=3)})
    # Label maps: how many pixels keep their label. Grey pictures: their distance.
    assert set(found) == {"cycle_accuracy_a", "cycle_psnr_b", "kid_a2b", "kid"}
    assert found["kid"] == found["kid_a2b"]


def test_amounts_of_detail_are_those_of_the_sets_and_have_no_mean() -> None:
    found = monitor(metrics=["gradient"]).measure(NETWORKS)
    assert set(found) == {"gradient_a2b", "gradient_b2a"}
    # Levels were added, so each side brings its own amount of detail along.
    assert found["gradient_a2b"] == pytest.approx(1 / found["gradient_b2a"])


@pytest.mark.parametrize("name", ["psnr", "l1", "ssim", "gradient"])
def test_the_models_to_keep_are_not_chosen_by_round_trips_or_ratios(name: str) -> None:
    with pytest.raises(I2IError, match=f"keep_best: {name} does not say how well .* without pairs .*; use kid"):
        monitor(best=name)


@pytest.mark.parametrize(("name", "said"), [("accuracy", "accuracy scores label maps"), ("psnrr", "unknown metric")])
def test_a_metric_that_fits_neither_side_is_refused_at_once(name: str, said: str) -> None:
    with pytest.raises(I2IError, match=said) as caught:
        monitor(metrics=[name])
    assert caught.value.code == "E_RECIPE"


def test_the_examples_are_translations_of_a_beside_pictures_of_b() -> None:
    outputs, real = monitor(6).examples(NETWORKS)
    assert [output.tolist() for output in outputs] == [(pictures(6)[row][0] + 20).tolist() for row in (0, 2, 3, 5)]
    assert [picture.tolist() for picture in real] == [pictures(6)[row][1].tolist() for row in (0, 2, 3, 5)]


def test_looking_draws_no_random_numbers_and_leaves_the_mode() -> None:
    before = torch.get_rng_state()
    monitor().measure(NETWORKS)
    monitor().sample(NETWORKS)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(network.training for network in NETWORKS.values())
